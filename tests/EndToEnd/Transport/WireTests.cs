using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transport;

/// <summary>What the TLS addresses speak and what they refuse to (TD15), told by OpenSSL's own client.</summary>
public sealed class WireTests(TlsServer server) : IClassFixture<TlsServer>, IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Theory]
    [InlineData("-tls1")]
    [InlineData("-tls1_1")]
    [InlineData("-tls1_2 -cipher eNULL:@SECLEVEL=0")]
    [InlineData("-tls1_2 -cipher aNULL:@SECLEVEL=0")]
    [InlineData("-tls1_2 -cipher ALL:COMPLEMENTOFALL:!ECDHE+AESGCM:!ECDHE+CHACHA20:@SECLEVEL=0")] // everything but what is right
    [InlineData("-tls1_3 -ciphersuites TLS_AES_128_CCM_8_SHA256")]
    public async Task Old_versions_and_weak_ciphers_get_no_connection(string offer)
    {
        foreach (var address in new[] { server.Process.Grpc, server.Process.Web })
        {
            var ended = await OpenSslAsync(address, "-cipher ALL:@SECLEVEL=0 " + offer);

            Assert.NotEqual(0, ended.ExitCode);
            Assert.Contains("alert", ended.Errors, StringComparison.Ordinal); // the server's own no, not that of this client's settings
            Assert.Contains("Cipher is (NONE)", ended.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("-tls1_2", "ECDHE-ECDSA-AES256-GCM-SHA384")]
    [InlineData("-tls1_2 -cipher ECDHE+AES128", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData("-tls1_2 -cipher ECDHE+CHACHA20", "ECDHE-ECDSA-CHACHA20-POLY1305")]
    [InlineData("-tls1_3", "TLS_AES_256_GCM_SHA384")]
    [InlineData("-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")]
    public async Task The_versions_and_ciphers_of_today_are_spoken(string offer, string cipher)
    {
        var ended = await OpenSslAsync(server.Process.Grpc, $"-alpn h2 {offer}");

        Assert.Equal(0, ended.ExitCode);
        Assert.Contains($"Cipher is {cipher}", ended.Output, StringComparison.Ordinal);
        Assert.Contains("ALPN protocol: h2", ended.Output, StringComparison.Ordinal);
        Assert.Contains("Verification: OK", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_session_is_taken_up_again() // it would skip the check of the caller's certificate
    {
        var ended = await OpenSslAsync(server.Process.Grpc, "-tls1_2 -reconnect -alpn h2");

        Assert.Contains("New, TLSv1.2", ended.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Reused", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_grpc_address_speaks_nothing_but_HTTP_2()
    {
        var older = await OpenSslAsync(server.Process.Grpc, "-alpn http/1.1");
        Assert.Contains("no application protocol", older.Errors, StringComparison.Ordinal);

        var unsaid = await OverTlsAsync(server.Process.Grpc, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.DoesNotContain("200", unsaid, StringComparison.Ordinal);
        Assert.DoesNotContain("alive", unsaid, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0")]
    [InlineData("\0\0\0\0")]
    public async Task Plain_text_on_a_TLS_address_gets_no_answer(string text)
    {
        foreach (var address in new[] { server.Process.Grpc, server.Process.Web })
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
            await using var stream = client.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text), TestContext.Current.CancellationToken);
            client.Client.Shutdown(SocketShutdown.Send);

            var answer = await ReadToEndAsync(stream);
            Assert.DoesNotContain("HTTP", answer, StringComparison.Ordinal);
            Assert.True(answer.Length <= 7, "More than the alert of TLS came back.");
        }
    }

    [Fact]
    public async Task No_address_tells_what_it_runs_on() // CF7
    {
        using var client = new HttpClient(Trust.In(await File.ReadAllTextAsync(server.Process.Tls.Authority, TestContext.Current.CancellationToken)));
        var told = new StringBuilder();
        foreach (var path in new[] { "/health/live", "/health/ready", "/disable", "/", "/no/such/page", "/%00" })
        {
            using var response = await client.GetAsync(new Uri(server.Process.Web, path), TestContext.Current.CancellationToken);
            told.Append(response.Headers).Append(response.Content.Headers).Append(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        told.Append(await OverTlsAsync(server.Process.Web, "no http at all\r\n\r\n"));
        told.Append(await Attacker.RunAsync(server.Process, "plain-call")).Append(await Attacker.RunAsync(server.Process, "many-headers"));
        foreach (var word in new[] { "server:", "\"server\"", "x-powered-by", "kestrel", "asp.net", "microsoft", "openssl", "0.1.0", "10.0" })
            Assert.DoesNotContain(word, told.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("alive", told.ToString(), StringComparison.Ordinal);
    }

    private Task<Ended> OpenSslAsync(Uri address, string options) =>
        OutsideProgram.OpenSslAsync(["s_client", "-connect", address.Authority, "-CAfile", server.Process.Tls.Authority, .. options.Split(' ')]);

    /// <summary>Says it in TLS without agreeing on a protocol, and tells what came back.</summary>
    private async Task<string> OverTlsAsync(Uri address, string text)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        await using var tls = new SslStream(client.GetStream());
        var options = Trust.Options(await File.ReadAllTextAsync(server.Process.Tls.Authority, TestContext.Current.CancellationToken));
        options.TargetHost = address.Host;
        await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        return await ReadToEndAsync(tls);
    }

    private static async Task<string> ReadToEndAsync(Stream stream)
    {
        using var everything = new MemoryStream();
        try
        {
            await stream.CopyToAsync(everything, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Reset: what came before that is all there is.
        }

        return Encoding.Latin1.GetString(everything.ToArray());
    }
}
