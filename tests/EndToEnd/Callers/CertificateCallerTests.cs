using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Callers;

/// <summary>Services that call with a certificate, over real TLS (AU5, AU6, AU14, RR12).</summary>
public sealed class CertificateCallerTests(OpenServer server) : IClassFixture<OpenServer>, IAsyncDisposable
{
    private readonly string _host = $"svc-{Guid.NewGuid():N}.example.org";

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(server.Process.Dev));

    [Fact]
    public async Task A_certificate_calls_as_the_service_that_its_name_is_mapped_to()
    {
        var spiffe = $"spiffe://example.org/{Guid.NewGuid():N}";
        await server.MapAsync(_host, $"dns:{_host}", "verify,enroll");
        await server.MapAsync($"{_host}-2", $"uri:{spiffe}", "verify,enroll", tenant: "another");

        await Owner.AssertServedAsync(server.WithCertificate(_host));
        var owner = await Owner.EnrolAsync(server.WithCertificate(spiffe));
        Assert.Equal(State.Disabled, (await server.Process.Dev.GetStatusAsync(owner.Account)).State); // of the other tenant
    }

    [Fact]
    public async Task A_certificate_of_the_right_authority_that_stands_for_nobody_is_refused()
    {
        await server.MapAsync(_host, $"dns:{_host}", "verify");
        await server.WithCertificate(_host).GetStatusAsync("a");

        foreach (var stranger in new[] { $"x.{_host}", "other.example.org", $"https://{_host}", "127.0.0.1" })
            await Refused.AsUnauthenticatedAsync(() => server.WithCertificate(stranger).GetStatusAsync("a"));
        var claimant = server.WithCertificate("other.example.org", commonName: _host);
        await Refused.AsUnauthenticatedAsync(() => claimant.GetStatusAsync("a"));
    }

    [Fact]
    public async Task The_mapped_name_on_any_other_certificate_opens_nothing()
    {
        await server.MapAsync(_host, $"dns:{_host}", "verify");
        using var other = Authority.New("root"); // of the same name, with another key
        Certificates[] wrong =
        [
            other.Issue(_host, Authority.ForClients), server.Authority.Issue(_host, Authority.ForServers),
            server.Authority.Issue(_host, purpose: null),
            server.Authority.Issue(_host, Authority.ForClients, daysLeft: -1), server.Authority.Issue(_host, Authority.ForClients, daysPast: -1),
        ];

        foreach (var shown in wrong)
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => server.Process.NewCallerWith(shown).GetStatusAsync("a"));
            // There is no connection, which the client tells by itself: no server answered. Which status it takes depends on whether
            // it had begun to send when that became clear.
            Assert.NotNull(error.Status.DebugException);
            Assert.Contains(error.StatusCode, (StatusCode[])[StatusCode.Unavailable, StatusCode.Internal]);
        }
    }

    [Fact]
    public async Task Unmapping_and_revoking_take_effect_at_the_next_call_of_an_open_connection()
    {
        await server.MapAsync(_host, $"dns:{_host}", "verify");
        var stolen = server.Authority.Issue(_host, Authority.ForClients);
        var (thief, service) = (server.Process.NewCallerWith(stolen), server.WithCertificate(_host));
        await thief.GetStatusAsync("a");
        await service.GetStatusAsync("a");

        using (var certificate = stolen.Open())
            await server.RunAsync("certificates", "revoke", certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256));
        await Refused.AsUnauthenticatedAsync(() => thief.GetStatusAsync("a"));
        await service.GetStatusAsync("a");

        await server.RunAsync("certificates", "unmap", _host);
        await Refused.AsUnauthenticatedAsync(() => service.GetStatusAsync("a"));
        await server.MapAsync(_host, $"dns:{_host}", "verify");
        await service.GetStatusAsync("a");
    }

    [Fact]
    public async Task A_certificate_and_a_header_are_two_credentials()
    {
        await server.MapAsync(_host, $"dns:{_host}", "verify");
        await ServerProgram.AddPersonAsync(server.Process.Data, _host, "person@example.org", "correct horse");
        var mapped = server.Authority.Issue(_host, Authority.ForClients);
        var unmapped = server.Authority.Issue("nobody.example.org", Authority.ForClients);
        string[] headers =
        [
            $"Bearer {server.Process.DevKey}", $"Bearer {await server.Issuer.TokenAsync("ec")}", Caller.Basic(_host, "correct horse"),
            "Bearer wrong", "",
        ];

        foreach (var header in headers)
        {
            await Refused.AsUnauthenticatedAsync(() => server.Process.NewCallerWith(mapped, header).GetStatusAsync(""));
            await Refused.AsUnauthenticatedAsync(() => server.Process.NewCallerWith(unmapped, header).GetStatusAsync(""));
        }
    }

    [Fact]
    public async Task What_a_header_says_of_a_certificate_is_nothing() // AU6
    {
        await server.MapAsync(_host, $"dns:{_host}", "verify,enroll,disable,admin");
        var pem = Uri.EscapeDataString(server.Authority.Issue(_host, Authority.ForClients).Chain);
        (string, string)[] headers =
        [
            ("x-forwarded-client-cert", $"By=spiffe://x;Hash=00;Cert=\"{pem}\";Subject=\"CN={_host}\";DNS={_host}"),
            ("x-client-cert", pem), ("ssl-client-cert", pem),
            ("x-ssl-client-cert", pem), ("x-arr-clientcert", pem), ("client-cert", $":{Convert.ToBase64String("x"u8)}:"),
            ("x-ssl-client-verify", "SUCCESS"), ("x-forwarded-user", _host),
            ("x-remote-user", _host), ("x-api-key", server.Process.DevKey), ("proxy-authorization", $"Bearer {server.Process.DevKey}"),
            ("x-authorization", $"Bearer {server.Process.DevKey}"),
        ];
        var verifyOnly = await ServerProgram.CreateKeyAsync(server.Process.Data, _host, "verify");

        foreach (var (header, value) in headers)
        {
            await Refused.AsUnauthenticatedAsync(() => server.Process.NewCallerWith().With(header, value).GetStatusAsync("a"));
            var caller = server.Process.NewCaller(verifyOnly).With(header, value);
            await caller.GetStatusAsync("a");
            await Refused.AsNotAllowedAsync(() => caller.EnableAsync("a"));
        }
    }

    [Fact]
    public async Task A_captured_request_is_worth_nothing_to_another_caller_and_repeatable_with_the_next_certificate() // RR12
    {
        await server.MapAsync(_host, $"dns:{_host}", "verify");
        await server.MapAsync($"{_host}-2", $"dns:x.{_host}", "verify");
        var owner = await Owner.EnrolAsync(server.Process.Dev);
        var request = new VerifyRequest { Account = owner.Account, Code = owner.NextCode, RequestId = Guid.NewGuid().ToString() };

        var first = await server.WithCertificate(_host).VerifyAsync(request);
        Assert.Equal(Verdict.Accepted, first.Verdict);
        Assert.Equal(first, await server.WithCertificate(_host).VerifyAsync(request)); // renewed: the same caller

        // A key or a token of the same name is another caller.
        var key = await ServerProgram.CreateKeyAsync(server.Process.Data, _host, "verify");
        var token = await server.Issuer.TokenAsync("ec", new System.Text.Json.Nodes.JsonObject { ["sub"] = _host });
        Caller[] others = [server.WithCertificate($"x.{_host}"), server.Process.NewCaller(key), server.Process.NewCaller(token), server.Process.Dev];
        foreach (var other in others)
            Assert.Equal(Verdict.Rejected, (await other.VerifyAsync(request)).Verdict);
    }
}
