using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Mfa.Client.Tests;

/// <summary>Whom the client believes that it is talking to, and how it shows who it is itself.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Key = "MFA_API_KEY=k";

    private readonly TemporaryFolder _folder = new();
    private readonly Authority _authority = Authority.New();

    public TlsTests() => File.WriteAllText(Ca, _authority.Pem);

    private string Ca => _folder.File("ca.pem");

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_server_of_the_authority_that_was_given_is_trusted(SslProtocols protocol)
    {
        await using var server = await StubServer.StartAsync(_authority.Server(), tls => tls.EnabledSslProtocols = protocol);

        var option = await MfaProgram.RunAsync(server, $"--account a --cacert {Ca} status", environment: [Key]);
        var variable = await MfaProgram.RunAsync(server, "--account a status", environment: [Key, $"MFA_CACERT={Ca}"]);

        Assert.Equal((0, ""), (option.ExitCode, option.Error));
        Assert.Equal((0, ""), (variable.ExitCode, variable.Error));
        Assert.Equal(["Bearer k", "Bearer k"], server.Authorizations.ToArray());
    }

    [Fact]
    public async Task A_certificate_that_vouches_for_itself_is_trusted_when_it_was_given()
    {
        using var certificate = Authority.SelfSigned();
        File.WriteAllText(Ca, certificate.ExportCertificatePem());
        await using var server = await StubServer.StartAsync(certificate);

        var run = await MfaProgram.RunAsync(server, $"--account a --cacert {Ca} status", environment: [Key]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    public static TheoryData<string, string[]> Strangers => new()
    {
        // certificate, what is said
        { "self-signed", ["Its authority is unknown", "--cacert"] },
        { "of another authority", ["Its authority is unknown", "--cacert"] },
        { "with another name", ["another name (mfa.example.org)", "--endpoint"] },
        { "expired", ["It expired on ", "renewed"] },
        { "not yet valid", ["It is not valid before ", "clock"] },
        { "for clients", ["not meant for servers"] },
    };

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task A_server_that_cannot_prove_its_name_gets_no_credential(string kind, string[] said) // CL5
    {
        using var other = Authority.New();
        using var certificate = kind switch
        {
            "self-signed" => Authority.SelfSigned(),
            "of another authority" => other.Server(),
            "with another name" => _authority.Server("mfa.example.org"),
            "expired" => _authority.Server(toDay: -1),
            "not yet valid" => _authority.Server(fromDay: 1),
            _ => _authority.Server(purpose: Authority.ForClients),
        };
        await using var server = await StubServer.StartAsync(certificate);

        // With the authority alone, and with everything that somebody could take for a switch.
        string[] careless = [Key, "MFA_INSECURE_SKIP_VERIFY=1", "MFA_INSECURE=1", "MFA_TLS_SKIP_VERIFY=true", "NODE_TLS_REJECT_UNAUTHORIZED=0", "GIT_SSL_NO_VERIFY=1"];
        var table = await MfaProgram.RunAsync(server, $"--account a --cacert {Ca} verify 123456", environment: careless);
        var json = await MfaProgram.RunAsync(server, $"--account a --cacert {Ca} --output json verify 123456", environment: [Key]);

        Assert.Equal((1, ""), (table.ExitCode, table.Output));
        Assert.All(
            (string[])[$"The certificate of {server.Endpoint} is not trusted; nothing was sent.", .. said],
            words => Assert.Contains(words, table.Error, StringComparison.Ordinal));
        Assert.Equal(1, json.ExitCode);
        Assert.Equal("NOT_TRUSTED", json.Json.GetProperty("error").GetProperty("reason").GetString());
        Assert.Empty(server.Requests);
        Assert.Empty(server.Authorizations);
    }

    [Fact]
    public async Task Without_a_word_about_certificates_the_authorities_of_the_system_decide() // CL5
    {
        await using var server = await StubServer.StartAsync(_authority.Server());

        var stranger = await MfaProgram.RunAsync(server, "--account a status", environment: [Key]);
        var known = await MfaProgram.RunAsync(server, "--account a status", environment: [Key, $"SSL_CERT_FILE={Ca}"]);

        Assert.Equal(1, stranger.ExitCode);
        Assert.Contains("Its authority is unknown", stranger.Error, StringComparison.Ordinal);
        Assert.Equal((0, ""), (known.ExitCode, known.Error));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task The_authority_that_was_given_takes_the_place_of_the_systems() // CL5
    {
        using var system = Authority.New();
        File.WriteAllText(_folder.File("system.pem"), system.Pem);
        await using var server = await StubServer.StartAsync(system.Server());

        var run = await MfaProgram.RunAsync(server, $"--account a --cacert {Ca} status", environment: [Key, $"SSL_CERT_FILE={_folder.File("system.pem")}"]);

        Assert.Equal(1, run.ExitCode);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Only_the_whole_flag_switches_the_checks_off_and_it_warns_each_time() // CL5
    {
        await using var server = await StubServer.StartAsync(Authority.SelfSigned("mfa.example.org"));

        for (var run = 0; run < 2; run++)
        {
            foreach (var output in (string[])["table", "json"])
            {
                var done = await MfaProgram.RunAsync(server, $"--account a --output {output} --insecure-skip-verify status", environment: [Key]);

                Assert.Equal(0, done.ExitCode);
                Assert.Equal(
                    $"Warning: nobody checks who {new Uri(server.Endpoint).Authority} is. Whoever is on the way can read and change everything.\n", done.Error);
            }
        }
    }

    [Theory]
    [InlineData("--insecure")]
    [InlineData("--insecure-skip")]
    [InlineData("--insecure-skip-verif")]
    [InlineData("--skip-verify")]
    [InlineData("-insecure-skip-verify")]
    [InlineData("--Insecure-Skip-Verify")]
    [InlineData("--insecure-skip-verify=true")]
    [InlineData("--insecure-skip-verify true")]
    [InlineData("-k")]
    [InlineData("--cacert CA --insecure-skip-verify")]
    public async Task No_typing_error_switches_the_checks_off(string options) // CL5
    {
        await using var server = await StubServer.StartAsync(Authority.SelfSigned());

        var run = await MfaProgram.RunAsync(server, $"--account a {options.Replace("CA", Ca, StringComparison.Ordinal)} status", environment: [Key]);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
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

    [Fact]
    public async Task A_reply_lost_on_its_way_is_asked_for_again_under_the_same_request_id() // CL6
    {
        await using var server = await StubServer.StartAsync(_authority.Server());
        using var relay = new CuttingRelay(server.Endpoint);
        var accepted = server.OnVerify;
        server.OnVerify = request =>
        {
            if (server.Verifies.Count == 1) relay.Cut();
            return accepted(request);
        };

        var run = await MfaProgram.RunAsync(null, $"--endpoint {relay.Endpoint} --cacert {Ca} --account a verify 123456", environment: [Key]);

        Assert.Equal((0, "Accepted. Factor: AUTHENTICATOR.\n"), (run.ExitCode, run.Output));
        Assert.Equal(2, server.Verifies.Count);
        Assert.Equal(server.Verifies[0], server.Verifies[1]);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("mk AUTHENTICATOR")]
    [InlineData("recovery-codes")]
    public async Task A_call_without_a_request_id_is_not_repeated(string verb) // CL6
    {
        await using var server = await StubServer.StartAsync(_authority.Server());
        using var relay = new CuttingRelay(server.Endpoint);
        server.OnGetStatus = _ => Cut<V1.GetStatusResponse>(relay);
        server.OnEnable = _ => Cut<V1.EnableResponse>(relay);
        server.OnRegenerate = _ => Cut<V1.RegenerateRecoveryCodesResponse>(relay);

        var run = await MfaProgram.RunAsync(null, $"--endpoint {relay.Endpoint} --cacert {Ca} --account a {verb}", "123456\n", [Key]);

        Assert.Equal(1, run.ExitCode);
        Assert.Single(server.Requests);
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

    private static T Cut<T>(CuttingRelay relay)
        where T : new()
    {
        relay.Cut();
        return new T();
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
