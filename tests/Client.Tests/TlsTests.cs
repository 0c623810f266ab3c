using System.Security.Authentication;

namespace Mfa.Client.Tests;

/// <summary>Whom the client believes that it is talking to.</summary>
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

    private static T Cut<T>(CuttingRelay relay)
        where T : new()
    {
        relay.Cut();
        return new T();
    }
}
