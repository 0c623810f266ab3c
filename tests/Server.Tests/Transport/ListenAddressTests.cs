using System.Net;
using Mfa.Server.Transport;

namespace Mfa.Server.Tests.Transport;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7443", "127.0.0.1", 7443, false)]
    [InlineData("http://127.200.0.1:0", "127.200.0.1", 0, false)]
    [InlineData("http://[::1]:7443", "::1", 7443, false)]
    [InlineData("http://localhost:7443/", "127.0.0.1", 7443, false)]
    [InlineData("https://localhost:7443", "127.0.0.1", 7443, true)]
    [InlineData("https://192.0.2.1:65535", "192.0.2.1", 65535, true)]
    [InlineData("https://0.0.0.0:7443", "0.0.0.0", 7443, true)]
    [InlineData("https://[::]:7443", "::", 7443, true)]
    [InlineData("https://*:7443", "::", 7443, true)]
    [InlineData("HTTPS://*", "::", 443, true)]
    public void An_address_is_read(string text, string address, int port, bool tls) =>
        Assert.Equal(new ListenAddress(IPAddress.Parse(address), port, tls), ListenAddress.Parse("--listen", text));

    [Theory]
    [InlineData("http://*:1")]
    [InlineData("http://0.0.0.0:1")]
    [InlineData("http://[::]:1")]
    [InlineData("http://192.0.2.1:1")]
    [InlineData("http://[::ffff:192.0.2.1]:1")]
    public void Plain_text_beyond_loopback_is_refused_with_the_remedy(string text)
    {
        var refusal = Assert.Throws<StartRefusedException>(() => ListenAddress.Parse("--web", text)).Message;

        Assert.StartsWith($"--web {text}: ", refusal);
        Assert.Contains("tls:certificateFile", refusal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("7443")]
    [InlineData("127.0.0.1:7443")]
    [InlineData("ftp://127.0.0.1:7443")]
    [InlineData("https://mfa.example.org:7443")] // what it resolves to may change after it was checked
    [InlineData("http://localhost.example.org:7443")]
    [InlineData("http://user@127.0.0.1:7443")]
    [InlineData("https://127.0.0.1:7443/path")]
    [InlineData("https://127.0.0.1:7443/?query")]
    [InlineData("https://127.0.0.1:65536")]
    [InlineData("https://127.0.0.1:-1")]
    [InlineData("https://127.0.0.1:port")]
    [InlineData("https://unix:/run/mfa.sock")]
    [InlineData("https://pipe:/mfa")]
    public void What_is_no_address_is_refused(string text) =>
        Assert.StartsWith($"--listen {text}: give an address", Assert.Throws<StartRefusedException>(() => ListenAddress.Parse("--listen", text)).Message);
}
