using System.Net.Http.Json;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Domain;
using Mfa.Server.Store;
using Mfa.Server.Web;
using Mfa.V1;
using Microsoft.Extensions.DependencyInjection;
using Act = Mfa.Server.Domain.AuditAct;
using Outcome = Mfa.Server.Domain.AuditOutcome;
using Reason = Mfa.Server.Domain.AuditReason;

namespace Mfa.Server.Tests.Services;

/// <summary>Every outcome of every rpc leaves its row, with what callers are not told.</summary>
public sealed class AuditedCallsTests
{
    [Fact]
    public async Task Verdicts_are_told_apart_by_their_inner_reason()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var requestId = Guid.NewGuid();

        await alice.VerifyAsync(alice.Code(server.Step), requestId: requestId.ToString());
        await alice.VerifyAsync(alice.Code(server.Step), requestId: requestId.ToString()); // a repeat is no second call
        await alice.VerifyAsync(alice.Code(server.Step));
        await alice.FailAsync(times: 4);
        await alice.VerifyAsync(alice.Code(server.Step + 1));
        await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[0]);

        var rows = Rows(server, "alice");
        (Act, Outcome, Reason, ProvenBy)[] expected =
        [
            (Act.Enable, Outcome.Done, Reason.None, ProvenBy.Authenticator),
            (Act.FinishEnrollment, Outcome.Accepted, Reason.None, ProvenBy.Authenticator),
            (Act.Verify, Outcome.Accepted, Reason.None, ProvenBy.Authenticator),
            (Act.Verify, Outcome.Rejected, Reason.Used, ProvenBy.Authenticator),
            .. Enumerable.Repeat((Act.Verify, Outcome.Rejected, Reason.Wrong, ProvenBy.Authenticator), 4),
            (Act.Lock, Outcome.Locked, Reason.Locked, ProvenBy.Authenticator),
            (Act.Verify, Outcome.Locked, Reason.Locked, ProvenBy.Authenticator),
            (Act.Verify, Outcome.Accepted, Reason.None, ProvenBy.RecoveryCode),
        ];
        Assert.Equal(expected, rows.Select(Told));
        Assert.Equal(requestId, rows[2].Reference);
        Assert.All(rows, row => Assert.Equal(("default", "127.0.0.1", 1), (row.Tenant, row.Peer, row.Calls)));
        Assert.All(rows, row => Assert.StartsWith("service:", row.Caller));
        AssertWhole(server);
    }

    [Fact]
    public async Task A_sent_code_is_followed_from_the_outbox_to_its_end()
    {
        await using var server = await TestServer.StartAsync("sends:gapSeconds=0");
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(new EnableRequest { Account = "alice", Method = V1.Method.Email, Email = "jane@example.org" }, key);
        var expired = (await server.Mailbox.NextAsync()).Code;
        server.Clock.Advance(TimeSpan.FromMinutes(6));
        var verify = new VerifyRequest { Account = "alice", Code = expired, EnrollmentId = pending.EnrollmentId };
        Assert.Equal(Verdict.Rejected, (await server.Client.VerifyAsync(verify, key)).Verdict);
        await server.Client.GetTokenAsync(new GetTokenRequest { Account = "alice", EnrollmentId = pending.EnrollmentId }, key);
        verify.Code = (await server.Mailbox.NextAsync()).Code;
        Assert.Equal(Verdict.Accepted, (await server.Client.VerifyAsync(verify, key)).Verdict);

        var rows = Rows(server, "alice");
        (Act, Outcome, Reason, ProvenBy)[] expected =
        [
            (Act.Enable, Outcome.Done, Reason.None, ProvenBy.Email),
            (Act.FinishEnrollment, Outcome.Rejected, Reason.Expired, ProvenBy.Email),
            (Act.GetToken, Outcome.Done, Reason.None, ProvenBy.Email),
            (Act.FinishEnrollment, Outcome.Accepted, Reason.None, ProvenBy.Email),
        ];
        Assert.Equal(expected, rows.Where(row => row.Act != Act.Send).Select(Told));
        var first = rows.First(row => row.Act == Act.Send);
        Assert.Equal((Outcome.Queued, ProvenBy.Email), (first.Outcome, first.Factor));
        while (!Rows(server, "alice").Exists(row => row.Reference == first.Reference && row.Outcome == Outcome.Delivered))
            await Task.Delay(10, TestContext.Current.CancellationToken); // the courier says so after the message is there to be read
        AssertWhole(server);
    }

    [Fact]
    public async Task A_refused_call_says_why()
    {
        await using var server = await TestServer.StartAsync("sends:perAccountHour=1", "sends:gapSeconds=0");
        var key = await server.KeyAsync(Scopes.Verify | Scopes.Enroll | Scopes.Disable);
        var client = server.Client;
        await RefusedAsync(() => client.VerifyAsync(new VerifyRequest { Account = "a", Code = "123456" }, key));
        await RefusedAsync(() => client.VerifyAsync(new VerifyRequest { Account = "a", Code = "123456", EnrollmentId = Guid.NewGuid().ToString() }, key));
        await RefusedAsync(() => client.GetTokenAsync(new GetTokenRequest { Account = "a" }, key));
        await RefusedAsync(() => client.DisableAsync(new DisableRequest { Account = "a" }, key));
        await RefusedAsync(() => client.ConfirmDisableAsync(new ConfirmDisableRequest { Account = "a", Token = new string('A', 43) }, key));
        await RefusedAsync(() => client.RegenerateRecoveryCodesAsync(new RegenerateRecoveryCodesRequest { Account = "a", Code = "123456" }, key));
        await client.EnableAsync(new EnableRequest { Account = "a", Method = V1.Method.Email, Email = "jane@example.org" }, key);
        await RefusedAsync(() => client.EnableAsync(new EnableRequest { Account = "a", Method = V1.Method.Email, Email = "jane@example.org" }, key));
        await RefusedAsync(() => client.EnableAsync(new EnableRequest { Account = "a", Method = V1.Method.Sms, Phone = "+442071838750" }, key));
        await RefusedAsync(() => client.VerifyAsync(new VerifyRequest { Account = "a", Code = "wrong" }, key)); // bad input: no row

        (Act, Reason)[] expected =
        [
            (Act.Verify, Reason.NotEnabled), (Act.FinishEnrollment, Reason.EnrollmentNotFound), (Act.GetToken, Reason.NotEnabled),
            (Act.Disable, Reason.NotEnabled), (Act.ConfirmDisable, Reason.Wrong), (Act.RegenerateRecoveryCodes, Reason.NotEnabled),
            (Act.Enable, Reason.SendLimit), (Act.Enable, Reason.DestinationNotAllowed),
        ];
        Assert.Equal(expected, Rows(server, "a").Where(row => row.Outcome == Outcome.Refused).Select(row => (row.Act, row.Reason)));
        Assert.Single(Rows(server, "a"), row => row is { Act: Act.Enable, Outcome: Outcome.Done });
    }

    [Fact]
    public async Task Replacing_and_switching_off_are_on_record_with_what_proved_them()
    {
        await using var server = await TestServer.StartAsync("sends:gapSeconds=0");
        var key = await server.KeyAsync(Scopes.Verify | Scopes.Enroll | Scopes.Disable);
        var request = new EnableRequest { Account = "alice", Method = V1.Method.Authenticator, Email = "jane@example.org" };
        var first = await server.Client.EnableAsync(request, key);
        await server.Client.VerifyAsync(
            new VerifyRequest { Account = "alice", Code = Reference.Code(first.Secret, server.Step - 1), EnrollmentId = first.EnrollmentId }, key);
        await server.Mailbox.NextAsync();
        await RefusedAsync(() => server.Client.EnableAsync(request, key));
        request.Code = "000000";
        await RefusedAsync(() => server.Client.EnableAsync(request, key));
        await server.Client.RegenerateRecoveryCodesAsync(
            new RegenerateRecoveryCodesRequest { Account = "alice", Code = Reference.Code(first.Secret, server.Step) }, key);
        await server.Client.DisableAsync(new DisableRequest { Account = "alice" }, key);
        var token = (await server.Mailbox.NextAsync()).Token;
        await server.Client.ConfirmDisableAsync(new ConfirmDisableRequest { Account = "alice", Token = token }, key);

        (Act, Outcome, Reason, ProvenBy)[] expected =
        [
            (Act.Enable, Outcome.Done, Reason.None, ProvenBy.Authenticator),
            (Act.FinishEnrollment, Outcome.Accepted, Reason.None, ProvenBy.Authenticator),
            (Act.Enable, Outcome.Refused, Reason.AlreadyEnabled, ProvenBy.Unspecified),
            (Act.Enable, Outcome.Rejected, Reason.Wrong, ProvenBy.Authenticator),
            (Act.RegenerateRecoveryCodes, Outcome.Done, Reason.None, ProvenBy.Authenticator),
            (Act.Disable, Outcome.Done, Reason.None, ProvenBy.Authenticator),
            (Act.ConfirmDisable, Outcome.Done, Reason.None, ProvenBy.Authenticator),
        ];
        Assert.Equal(expected, Rows(server, "alice").Where(row => row.Act != Act.Send).Select(Told));
        AssertWhole(server);
    }

    [Fact]
    public async Task Refused_callers_are_on_record_with_their_address_and_without_what_they_sent()
    {
        await using var server = await TestServer.StartAsync();
        var jane = await server.PersonAsync("jane", "correct horse");
        var verifyOnly = await server.KeyAsync(Scopes.Verify);
        await RefusedAsync(() => server.Client.GetStatusAsync(new GetStatusRequest { Account = "a" }, new Metadata { { "authorization", "Bearer canary" } }));
        await RefusedAsync(() => server.Client.EnableAsync(new EnableRequest { Account = "a" }, verifyOnly));
        await RefusedAsync(() => server.Client.GetStatusAsync(new GetStatusRequest { Account = "bob" }, jane));
        using var web = new HttpClient { BaseAddress = server.Web };
        using var form = JsonContent.Create(new DisableForm("jane", "canary", new string('A', 43)), DisableJson.Default.DisableForm);
        await form.LoadIntoBufferAsync(TestContext.Current.CancellationToken); // says its length
        await web.PostAsync("/disable/confirm", form, TestContext.Current.CancellationToken);

        var rows = All(server).Where(row => row.Outcome == Outcome.Refused).ToList();
        (Act, Reason, string)[] expected =
        [
            (Act.GetStatus, Reason.Unauthenticated, ""), (Act.Enable, Reason.CallerNotAllowed, "service:"),
            (Act.GetStatus, Reason.CallerNotAllowed, "person:jane"), (Act.ConfirmDisable, Reason.Unauthenticated, ""),
        ];
        Assert.Equal(expected, rows.Select(row => (row.Act, row.Reason, row.Caller.StartsWith("service:", StringComparison.Ordinal) ? "service:" : row.Caller)));
        Assert.All(rows, row => Assert.Equal("127.0.0.1", row.Peer));
        Assert.DoesNotContain(rows, row => row.ToString().Contains("canary", StringComparison.Ordinal) || row.ToString().Contains("bob", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wrong_passwords_that_lock_a_name_leave_a_row_of_their_own()
    {
        await using var server = await TestServer.StartAsync("audit:refusedRowsPerSecond=1000");
        await server.PersonAsync("jane", "correct horse");

        for (var i = 0; i < 5; i++) await RefusedAsync(() => server.Client.GetStatusAsync(new GetStatusRequest(), TestServer.Basic("jane", "wrong")));

        var row = Assert.Single(Rows(server, "jane"), row => row.Act == Act.Lock);
        Assert.Equal((Outcome.Locked, Reason.Locked, "password"), (row.Outcome, row.Reason, row.Detail));
    }

    [Fact]
    public async Task A_flood_of_refused_callers_is_counted_in_one_row_more()
    {
        await using var server = await TestServer.StartAsync("audit:refusedRowsPerSecond=3");
        var bad = new Metadata { { "authorization", "Bearer x" } };

        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ =>
            RefusedAsync(() => server.Client.GetStatusAsync(new GetStatusRequest { Account = "a" }, bad))));
        await server.Services.GetRequiredService<RefusedCallers>().FlushAsync();

        var rows = All(server).Where(row => row.Reason == Reason.Unauthenticated).ToList();
        Assert.Equal(new[] { 1, 1, 1, 197 }, rows.Select(row => row.Calls));
        AssertWhole(server);
    }

    [Fact]
    public async Task What_operators_do_is_on_record()
    {
        await using var server = await TestServer.StartAsync();
        var keys = server.Services.GetRequiredService<ApiKeys>();
        var people = server.Services.GetRequiredService<UserDirectory>();
        await keys.CreateAsync("shop", "acme", Scopes.Verify | Scopes.Enroll);
        Assert.Null(await keys.CreateAsync("shop", "acme", Scopes.Verify)); // refused: no row
        await keys.RevokeAsync("shop");
        await server.PersonAsync("jane", "correct horse");
        await people.SetPasswordAsync("jane", server.Services.GetRequiredService<Server.Protection.PasswordHasher>().New("jane", "battery staple", 210_000));
        await people.RemoveAsync("jane");

        var rows = All(server).Where(row => row.Act == Act.Operator).ToList();
        (string, string, string)[] expected =
        [
            ("keys create shop --scopes verify,enroll", "acme", ""), ("keys revoke shop", "", ""), ("users add jane", "default", "jane"),
            ("users passwd jane", "default", "jane"), ("users remove jane", "default", "jane"),
        ];
        Assert.Equal(expected, rows.Select(row => (row.Detail, row.Tenant, row.Account)));
        Assert.All(rows, row => Assert.Equal($"operator:{Environment.UserName}", row.Caller));
    }

    [Theory]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    public void An_address_is_printed_in_its_own_family(string address, string printed) =>
        Assert.Equal(printed, RefusedCallers.PeerOf(System.Net.IPAddress.Parse(address)));

    private static (Act, Outcome, Reason, ProvenBy) Told(AuditRow row) => (row.Act, row.Outcome, row.Reason, row.Factor);

    private static List<AuditRow> Rows(TestServer server, string account) => All(server).FindAll(row => row.Account == account);

    /// <summary>Oldest first.</summary>
    private static List<AuditRow> All(TestServer server)
    {
        var rows = server.Services.GetRequiredService<IStore>().Trail.Find(new AuditFilter(), int.MaxValue);
        rows.Reverse();
        return rows;
    }

    private static void AssertWhole(TestServer server)
    {
        var report = server.Services.GetRequiredService<IStore>().Trail.Verify(after: null, outside: null, _ => { });
        Assert.Empty(report.Damage);
    }

    private static Task<RpcException> RefusedAsync<T>(Func<AsyncUnaryCall<T>> call) => Assert.ThrowsAsync<RpcException>(async () => await call());
}
