using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

public sealed class EnrollmentTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task A_code_of_oathtool_finishes_an_enrollment_and_its_next_code_verifies()
    {
        var account = Owner.NewAccount();
        Assert.Equal(State.Disabled, (await Caller.GetStatusAsync(account)).State);

        var started = await Caller.EnableAsync(account);
        var pending = await Caller.GetStatusAsync(account);
        var owner = await Owner.FinishAsync(Caller, account, started);
        var reply = await Caller.VerifyAsync(account, owner.NextCode);

        Assert.Equal(State.Pending, pending.State);
        Assert.Equal(started.EnrollmentId, pending.Pending.EnrollmentId);
        Assert.Equal(Verdict.Accepted, reply.Verdict);
        Assert.Equal(Factor.Authenticator, reply.Factor);
        Assert.Equal(8, reply.RecoveryCodesRemaining);
        Assert.Equal(State.Enabled, (await Caller.GetStatusAsync(account)).State);
    }

    [Fact]
    public async Task Enabling_an_enabled_account_without_a_current_code_changes_nothing() // EN1
    {
        var owner = await Owner.EnrolAsync(Caller);

        await Refused.AsAsync(StatusCode.FailedPrecondition, ErrorReason.AlreadyEnabled, () => Caller.EnableAsync(owner.Account));
        var wrong = await owner.App.WrongCodeAsync();
        await Refused.ForCodeAsync(() => Caller.EnableAsync(owner.Account, wrong));

        Assert.Null((await Caller.GetStatusAsync(owner.Account)).Pending);
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        foreach (var code in owner.RecoveryCodes)
            Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, code)).Verdict);
    }

    [Fact]
    public async Task The_old_factor_works_until_the_new_one_is_proven_and_not_after()
    {
        var step = await Authenticator.StepWithRoomAsync();
        var owner = await Owner.EnrolAsync(Caller, firstStep: step - 1);
        var current = await owner.App.CodeAsync(step);

        var started = await Caller.EnableAsync(owner.Account, current);
        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, current)).Verdict); // Enable used it up
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        var renewed = await Owner.FinishAsync(Caller, owner.Account, started);

        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[1])).Verdict);
        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.LaterCode)).Verdict);
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, renewed.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_pending_secret_proves_nothing() // EN2
    {
        var account = Owner.NewAccount();
        var started = await Caller.EnableAsync(account);
        var code = await new Authenticator(started.Secret).CodeAsync(Authenticator.Step);

        await Refused.AsNotEnabledAsync(() => Caller.VerifyAsync(account, code));
        await Refused.AsNotEnabledAsync(() => Caller.VerifyAsync(account, started.RecoveryCodes[0]));
        await Refused.AsNotEnabledAsync(() => Caller.RegenerateRecoveryCodesAsync(account, code));

        Assert.Equal(State.Pending, (await Caller.GetStatusAsync(account)).State);
    }

    [Fact]
    public async Task Of_two_enrollments_started_at_once_at_most_one_can_be_finished() // EN4
    {
        for (var round = 0; round < 10; round++)
        {
            var account = Owner.NewAccount();
            var started = await Race.RunAsync([Caller, server.Process.NewCaller(server.Process.DevKey)], caller => caller.EnableAsync(account));

            var finished = 0;
            foreach (var one in started)
            {
                var code = await new Authenticator(one.Secret).CodeAsync(Authenticator.Step);
                try
                {
                    if ((await Caller.VerifyAsync(account, code, one.EnrollmentId)).Verdict == Verdict.Accepted) finished++;
                }
                catch (RpcException refusal) when (refusal.StatusCode == StatusCode.FailedPrecondition)
                {
                    // The one that the other replaced.
                }
            }

            Assert.Equal(1, finished);
        }
    }

    [Fact]
    public async Task An_enrollment_is_finished_once() // EN5
    {
        var account = Owner.NewAccount();
        var started = await Caller.EnableAsync(account);
        var code = await new Authenticator(started.Secret).CodeAsync(Authenticator.Step);

        var answers = await Race.OutcomesAsync(
            [.. Enumerable.Repeat(Caller, 16)], caller => caller.VerifyAsync(account, code, started.EnrollmentId));

        Assert.Single(answers, answer => answer == nameof(Verdict.Accepted));
        Assert.Equal(15, answers.Count(answer => answer == nameof(StatusCode.FailedPrecondition)));
        await Refused.AsEnrollmentNotFoundAsync(() => Caller.VerifyAsync(account, code, started.EnrollmentId));
    }

    [Fact]
    public async Task No_later_reply_tells_the_secret_again() // EN10
    {
        var owner = await Owner.EnrolAsync(Caller);
        var verified = await Caller.VerifyAsync(owner.Account, owner.NextCode);
        var status = await Caller.GetStatusAsync(owner.Account);
        var recovered = await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0]);
        var started = await Caller.EnableAsync(owner.Account, owner.RecoveryCodes[1]);
        var pending = await Caller.GetStatusAsync(owner.Account);
        var regenerated = await Caller.RegenerateRecoveryCodesAsync(owner.Account, owner.RecoveryCodes[2]);

        IMessage[] replies = [verified, status, recovered, started, pending];
        var said = string.Join('\n', replies.Select(r => Encoding.Latin1.GetString(r.ToByteArray()))) + string.Join('\n', regenerated);
        Assert.DoesNotContain(owner.Enrolled.Secret, said, StringComparison.Ordinal);
        Assert.All(owner.RecoveryCodes, code => Assert.DoesNotContain(code, said, StringComparison.Ordinal));
        Assert.DoesNotContain(started.Secret, Encoding.Latin1.GetString(pending.ToByteArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_enrollment_has_a_random_secret_of_160_bits_and_8_codes_of_its_own() // EN11
    {
        const int Enrollments = 200;
        var replies = new List<EnableResponse>();
        for (var i = 0; i < Enrollments; i++) replies.Add(await Caller.EnableAsync(Owner.NewAccount()));

        var secrets = replies.ConvertAll(reply => Base32.Decode(reply.Secret));
        Assert.All(secrets, secret => Assert.Equal(20, secret.Length));
        Assert.Equal(Enrollments, replies.Select(reply => reply.Secret).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Enrollments * 8, replies.SelectMany(reply => reply.RecoveryCodes).Distinct(StringComparer.Ordinal).Count());
        // 32,000 fair coins: six standard deviations, which chance exceeds once in 500 million runs.
        var ones = secrets.Sum(secret => secret.Sum(b => byte.PopCount(b)));
        Assert.InRange(ones, 16_000 - 537, 16_000 + 537);
    }
}
