using Grpc.Core;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

public sealed class EnableTests
{
    [Fact]
    public async Task An_enrollment_expires_after_its_hour_and_leaves_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(new EnableRequest { Account = "alice", Method = Method.Authenticator }, key);
        Assert.Equal(server.Clock.GetUtcNow().AddHours(1), pending.ExpireTime.ToDateTimeOffset());

        server.Clock.Advance(TimeSpan.FromHours(1));

        await Refused.AsAsync(StatusCode.FailedPrecondition, "ENROLLMENT_NOT_FOUND", async () => await server.Client.VerifyAsync(
            new VerifyRequest { Account = "alice", Code = Reference.Code(pending.Secret, server.Step), EnrollmentId = pending.EnrollmentId }, key));
        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, key)).State);
    }

    [Fact]
    public async Task A_second_enrollment_replaces_the_pending_one()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var request = new EnableRequest { Account = "alice", Method = Method.Authenticator };
        var first = await server.Client.EnableAsync(request, key);
        var second = await server.Client.EnableAsync(request, key);

        await Refused.AsAsync(StatusCode.FailedPrecondition, "ENROLLMENT_NOT_FOUND", async () => await server.Client.VerifyAsync(
            new VerifyRequest { Account = "alice", Code = Reference.Code(first.Secret, server.Step), EnrollmentId = first.EnrollmentId }, key));
        var proven = await server.Client.VerifyAsync(
            new VerifyRequest { Account = "alice", Code = Reference.Code(second.Secret, server.Step), EnrollmentId = second.EnrollmentId }, key);
        Assert.Equal(Verdict.Accepted, proven.Verdict);
    }

    [Fact]
    public async Task An_enabled_account_needs_a_current_code_and_keeps_its_factor_until_the_new_one_is_proven()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var request = new EnableRequest { Account = alice.Name, Method = Method.Authenticator };
        await Refused.AsAsync(StatusCode.FailedPrecondition, "ALREADY_ENABLED", async () => await server.Client.EnableAsync(request, alice.Key));
        request.Code = alice.WrongCode();
        await Refused.AsAsync(StatusCode.PermissionDenied, "CODE_REFUSED", async () => await server.Client.EnableAsync(request, alice.Key));
        Assert.Equal(State.Enabled, (await alice.StatusAsync()).State);
        Assert.Null((await alice.StatusAsync()).Pending);

        request.Code = alice.Code(server.Step);
        var next = await server.Client.EnableAsync(request, alice.Key);

        Assert.Equal(next.EnrollmentId, (await alice.StatusAsync()).Pending.EnrollmentId);
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict); // used up by Enable
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(Reference.Code(next.Secret, server.Step))).Verdict); // proves nothing yet
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(next.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step + 1))).Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[0])).Verdict);

        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(Reference.Code(next.Secret, server.Step), next.EnrollmentId)).Verdict);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[1])).Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(Reference.Code(next.Secret, server.Step))).Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(next.RecoveryCodes[0])).Verdict);
    }

    [Fact]
    public async Task Guesses_at_an_enrollment_lock_it_and_asking_for_a_new_one_gives_no_new_guesses()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var enable = new EnableRequest { Account = "alice", Method = Method.Authenticator };
        var pending = await server.Client.EnableAsync(enable, key);
        for (var left = 4; left >= 0; left--)
        {
            var wrong = await server.Client.VerifyAsync(
                new VerifyRequest { Account = "alice", Code = WrongFor(pending, server.Step), EnrollmentId = pending.EnrollmentId }, key);
            Assert.Equal((Verdict.Rejected, left), (wrong.Verdict, wrong.AttemptsRemaining));
        }

        var again = await server.Client.EnableAsync(enable, key);
        var verify = new VerifyRequest { Account = "alice", Code = Reference.Code(again.Secret, server.Step), EnrollmentId = again.EnrollmentId };

        Assert.Equal(Verdict.Locked, (await server.Client.VerifyAsync(verify, key)).Verdict);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        verify.Code = Reference.Code(again.Secret, server.Step);
        Assert.Equal(Verdict.Accepted, (await server.Client.VerifyAsync(verify, key)).Verdict);
    }

    [Fact]
    public async Task A_recovery_code_of_the_pending_set_does_not_finish_the_enrollment()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(new EnableRequest { Account = "alice", Method = Method.Authenticator }, key);

        var answer = await server.Client.VerifyAsync(
            new VerifyRequest { Account = "alice", Code = pending.RecoveryCodes[0], EnrollmentId = pending.EnrollmentId }, key);

        Assert.Equal(Verdict.Rejected, answer.Verdict);
    }

    [Fact]
    public async Task A_new_enrollment_shows_everything_once_and_keeps_the_address_on_record()
    {
        await using var server = await TestServer.StartAsync("enrollment:issuer=Ünï & Co");
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(
            new EnableRequest { Account = "alice", Method = Method.Authenticator, Email = "jane@example.org", Label = "Jane D", Locale = "fr-CA" }, key);

        Assert.Equal(32, pending.Secret.Length);
        Assert.Equal("Ünï & Co", pending.Issuer);
        Assert.StartsWith("otpauth://totp/%C3%9Cn%C3%AF%20%26%20Co:Jane%20D?secret=" + pending.Secret, pending.OtpauthUri);
        Assert.StartsWith("<svg ", pending.QrCodeSvg);
        Assert.Equal(8, pending.RecoveryCodes.Distinct().Count());
        Assert.Equal("j***@e***.org", (await server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, key)).Destination);
    }

    [Fact]
    public async Task Every_bad_field_is_named_at_once_and_nothing_is_stored()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var bad = new EnableRequest
        {
            Account = "a b",
            Method = (Method)99,
            Email = "a@x.org, evil@y.org",
            Phone = "+14165550123",
            Label = "a:b",
            Locale = "e n",
            Code = "12345",
        };

        await Refused.FieldsAsync(["account", "method", "email", "phone", "label", "locale", "code"],
            async () => await server.Client.EnableAsync(bad, key));
        await Refused.FieldsAsync(["account", "method"], async () => await server.Client.EnableAsync(new EnableRequest(), key));
        await Refused.FieldsAsync(["email"],
            async () => await server.Client.EnableAsync(new EnableRequest { Account = "alice", Method = Method.Email }, key));
        await Refused.FieldsAsync(["phone"],
            async () => await server.Client.EnableAsync(new EnableRequest { Account = "alice", Method = Method.Sms }, key));
        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(new GetStatusRequest { Account = "alice" }, key)).State);
        Assert.Equal(0, server.Mailbox.Count);
    }

    private static string WrongFor(EnableResponse pending, long step)
    {
        var codes = Enumerable.Range(-1, 3).Select(offset => Reference.Code(pending.Secret, step + offset)).ToHashSet();
        return new[] { "000000", "111111", "222222", "333333" }.First(code => !codes.Contains(code));
    }
}
