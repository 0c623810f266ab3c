using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Client.Tests;

/// <summary>How the client shows who it is itself, with a certificate in the place of a key or a password.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private const string Key = "MFA_API_KEY=k";

    private readonly TemporaryFolder _folder = new();
    private readonly Authority _authority = Authority.New();

    public ClientCertificateTests() => File.WriteAllText(Ca, _authority.Pem);

    private string Ca => _folder.File("ca.pem");

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_client_certificate_is_the_credential(SslProtocols protocol)
    {
        using var shop = _authority.Client("shop");
        Save(shop);
        await using var server = await StartWantingAsync(protocol, required: true);

        var options = await RunAsync(server, "--cacert CA --cert SHOP.crt --key SHOP.key status", []);
        var variables = await RunAsync(server, "--cacert CA status", [$"MFA_CERT={_folder.File("shop.crt")}", $"MFA_KEY={_folder.File("shop.key")}"]);
        var chosen = await RunAsync(server, "--cacert CA --cert SHOP.crt --key SHOP.key status", ["MFA_USERNAME=alice", Key]);

        Assert.All((Finished[])[options, variables, chosen], run => Assert.Equal((0, ""), (run.ExitCode, run.Error)));
        Assert.Equal(["CN=shop", "CN=shop", "CN=shop"], server.ShownCertificates.ToArray());
        Assert.Equal([null, null, null], server.Authorizations.ToArray());
    }

    [Fact]
    public async Task A_certificate_of_the_environment_stays_home_when_another_credential_was_chosen()
    {
        using var shop = _authority.Client("shop");
        Save(shop);
        await using var server = await StartWantingAsync(SslProtocols.Tls13, required: false);

        var run = await RunAsync(
            server, "--cacert CA --username alice status",
            [$"MFA_CERT={_folder.File("shop.crt")}", $"MFA_KEY={_folder.File("shop.key")}", "MFA_PASSWORD=p"]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Null(Assert.Single(server.ShownCertificates));
    }

    [Fact]
    public async Task The_certificates_between_client_and_authority_are_shown_too()
    {
        using var between = _authority.Under();
        using var shop = between.Client("shop");
        Save(shop, between.Pem);
        await using var server = await StartWantingAsync(SslProtocols.Tls13, required: true);

        var run = await RunAsync(server, "--cacert CA --cert SHOP.crt --key SHOP.key status", []);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "")]
    [InlineData(SslProtocols.Tls13, "")]
    [InlineData(SslProtocols.Tls12, "of another authority")]
    [InlineData(SslProtocols.Tls13, "of another authority")]
    [InlineData(SslProtocols.Tls13, "expired")]
    public async Task A_server_that_does_not_take_the_client_is_told_apart_from_one_that_is_away(SslProtocols protocol, string shown)
    {
        using var other = Authority.New();
        using var shop = shown == "expired" ? _authority.Client("shop", toDay: -1) : other.Client("shop");
        Save(shop);
        await using var server = await StartWantingAsync(protocol, required: true);

        var credential = shown.Length > 0 ? "--cert SHOP.crt --key SHOP.key" : "";
        var run = await RunAsync(server, $"--cacert CA {credential} --output json status", shown.Length > 0 ? [] : [Key]);

        Assert.Equal(1, run.ExitCode);
        var error = run.Json.GetProperty("error");
        Assert.Equal("CLIENT_CERTIFICATE", error.GetProperty("reason").GetString());
        Assert.Contains(shown.Length > 0 ? "refuse a client certificate" : "wants a client certificate", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("--cert SHOP.crt", "--cert and --key")]
    [InlineData("--key SHOP.key", "--cert and --key")]
    [InlineData("--cert SHOP.crt --key SHOP.key --username alice", "Give one of")]
    [InlineData("--cert SHOP.crt --key SHOP.key --api-key-file CA", "Give one of")]
    [InlineData("--cert SHOP.crt --key OTHER.key", "not a certificate and its private key")]
    [InlineData("--cert SHOP.key --key SHOP.key", "not a certificate and its private key")]
    [InlineData("--cert SHOP.crt --key SHOP.crt", "chmod 600")]
    [InlineData("--cert /nowhere --key SHOP.key", "Cannot read /nowhere")]
    [InlineData("--cert SHOP.crt --key /nowhere", "Cannot read /nowhere")]
    [InlineData("--cacert /nowhere", "Cannot read the certificate authorities /nowhere")]
    [InlineData("--cacert SHOP.key", "no PEM certificate")]
    public async Task What_does_not_fit_together_is_a_usage_error(string options, string said)
    {
        using var shop = _authority.Client("shop");
        using var other = _authority.Client("other");
        Save(shop);
        Save(other);
        await using var server = await StubServer.StartAsync(_authority.Server());

        var run = await RunAsync(server, $"{options} status", options.Contains("--cert", StringComparison.Ordinal) ? [] : [Key]);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Half_a_certificate_or_a_second_credential_of_the_environment_is_a_usage_error()
    {
        using var shop = _authority.Client("shop");
        Save(shop);
        await using var server = await StubServer.StartAsync(_authority.Server());
        var (cert, key) = ($"MFA_CERT={_folder.File("shop.crt")}", $"MFA_KEY={_folder.File("shop.key")}");

        foreach (var environment in (string[][])[[cert], [key], [cert, key, Key], [cert, key, "MFA_USERNAME=alice"]])
        {
            var run = await RunAsync(server, "status", environment);
            Assert.Equal((2, ""), (run.ExitCode, run.Output));
            Assert.Contains("MFA_CERT", run.Error, StringComparison.Ordinal);
        }

        Assert.Equal(2, (await MfaProgram.RunAsync(server, "status", environment: [cert, key])).ExitCode); // for which account?
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public async Task A_private_key_that_others_may_use_is_not_used(UnixFileMode others)
    {
        using var shop = _authority.Client("shop");
        Save(shop);
        File.SetUnixFileMode(_folder.File("shop.key"), UnixFileMode.UserRead | others);
        await using var server = await StubServer.StartAsync(_authority.Server());

        var run = await RunAsync(server, "--cacert CA --cert SHOP.crt --key SHOP.key status", []);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains($"chmod 600 {_folder.File("shop.key")}", run.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("--insecure-skip-verify")]
    [InlineData("--cacert CA")]
    [InlineData("--cert SHOP.crt --key SHOP.key")]
    public async Task What_is_about_certificates_is_refused_for_plain_text(string options)
    {
        await using var server = await StubServer.StartAsync();
        using var shop = _authority.Client("shop");
        Save(shop);

        var run = await RunAsync(server, $"{options} status", []);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains("https", run.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    private Task<StubServer> StartWantingAsync(SslProtocols protocol, bool required) =>
        StubServer.StartAsync(_authority.Server(), tls =>
        {
            tls.EnabledSslProtocols = protocol;
            tls.ClientCertificateRequired = true; // asked for
            tls.RemoteCertificateValidationCallback = (_, shown, sent, _) => shown is X509Certificate2 certificate ? IsOurs(certificate, sent) : !required;
        });

    private bool IsOurs(X509Certificate2 certificate, X509Chain? sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(_authority.Pem);
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    private Task<Finished> RunAsync(StubServer server, string arguments, string[] environment)
    {
        foreach (var (word, file) in new[] { ("CA", Ca), ("SHOP.", _folder.File("shop.")), ("OTHER.", _folder.File("other.")) })
            arguments = arguments.Replace(word, file, StringComparison.Ordinal);
        return MfaProgram.RunAsync(server, $"--account a {arguments}", environment: environment);
    }

    private void Save(X509Certificate2 certificate, string more = "")
    {
        var name = _folder.File(certificate.Subject["CN=".Length..]);
        File.WriteAllText($"{name}.crt", $"{certificate.ExportCertificatePem()}\n{more}");
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText($"{name}.key", key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode($"{name}.key", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode($"{name}.crt", UnixFileMode.UserRead | UnixFileMode.OtherRead);
    }
}
