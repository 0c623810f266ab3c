using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>A request that carries a request_id can be repeated, and nothing happens twice (RR11, RR12).</summary>
public sealed class RequestIdTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task A_repeated_request_gets_the_first_answer_from_any_connection()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var request = Request(owner.Account, owner.NextCode);

        var first = await Caller.VerifyAsync(request);
        var again = await server.Process.NewCaller(server.Process.DevKey).VerifyAsync(request);

        Assert.Equal(Verdict.Accepted, first.Verdict);
        Assert.Equal(first, again);
        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_repeated_wrong_guess_counts_once()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var request = Request(owner.Account, await owner.App.WrongCodeAsync());

        for (var i = 0; i < 10; i++)
        {
            var reply = await Caller.VerifyAsync(request);
            Assert.Equal((Verdict.Rejected, 4), (reply.Verdict, reply.AttemptsRemaining));
        }

        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_repeated_recovery_code_is_used_up_once_however_it_is_spelled()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var request = Request(owner.Account, owner.RecoveryCodes[0]);
        var sameCode = request.Clone();
        sameCode.Code = request.Code.ToLowerInvariant();

        var first = await Caller.VerifyAsync(request);
        var again = await Caller.VerifyAsync(sameCode);

        Assert.Equal((Verdict.Accepted, 7), (first.Verdict, first.RecoveryCodesRemaining));
        Assert.Equal(first, again);
    }

    [Fact]
    public async Task Another_request_under_the_same_id_is_refused_and_does_nothing()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var request = Request(owner.Account, await owner.App.WrongCodeAsync());
        await Caller.VerifyAsync(request);
        var otherCode = request.Clone();
        otherCode.Code = owner.NextCode;
        var otherEnrollment = request.Clone();
        otherEnrollment.EnrollmentId = owner.Enrolled.EnrollmentId;

        foreach (var other in new[] { otherCode, otherEnrollment })
            await Refused.AsAsync(StatusCode.InvalidArgument, ErrorReason.RequestIdReused, () => Caller.VerifyAsync(other));

        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task The_same_request_of_another_caller_is_another_request() // RR12
    {
        var owner = await Owner.EnrolAsync(Caller);
        var request = Request(owner.Account, owner.NextCode);
        var key = await ServerProgram.CreateKeyAsync(server.Process.Data, $"other-{Guid.NewGuid():N}", "verify");

        var first = await Caller.VerifyAsync(request);
        var captured = await server.Process.NewCaller(key).VerifyAsync(request);

        Assert.Equal(Verdict.Accepted, first.Verdict);
        Assert.Equal(Verdict.Rejected, captured.Verdict);
    }

    [Fact]
    public async Task The_first_answer_outlives_a_crash()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var request = Request(owner.Account, owner.NextCode);
        var first = await Caller.VerifyAsync(request);

        await server.Process.KillAsync();
        await server.Process.StartAgainAsync();

        Assert.Equal(Verdict.Accepted, first.Verdict);
        Assert.Equal(first, await Caller.VerifyAsync(request));
        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_retry_after_a_lost_answer_learns_what_happened()
    {
        for (var round = 0; round < 40; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);
            var request = Request(owner.Account, owner.NextCode);
            try
            {
                await Caller.VerifyAsync(request, TimeSpan.FromMilliseconds(1 + round / 4));
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.DeadlineExceeded)
            {
                // Whether it arrived is what the caller cannot know.
            }

            Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(request)).Verdict);
            Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        }
    }

    [Fact]
    public async Task Sixty_four_copies_at_once_get_one_answer_and_have_one_effect()
    {
        var callers = await Race.CallersAsync(server.Process, 64);
        for (var round = 0; round < 10; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);
            var request = Request(owner.Account, owner.RecoveryCodes[0]);

            var answers = await Race.RunAsync(callers, caller => caller.VerifyAsync(request));

            Assert.All(answers, answer => Assert.Equal((Verdict.Accepted, 7), (answer.Verdict, answer.RecoveryCodesRemaining)));
            Assert.Single(answers.Distinct());
            Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[1])).Verdict);
        }
    }

    [Fact]
    public async Task Sixty_four_copies_across_a_crash_get_one_answer_and_have_one_effect()
    {
        for (var (round, midway) = (0, 0); midway < 3; round++)
        {
            Assert.True(round < 40, "It was killed before the first answer or after the last one every time: this proved nothing.");
            var owner = await Owner.EnrolAsync(Caller);
            var request = Request(owner.Account, owner.RecoveryCodes[0]);
            var callers = await Race.CallersAsync(server.Process, 64);
            var answered = new TaskCompletionSource();
            var racing = Race.RunAsync(callers, async caller =>
            {
                var answer = await AnswerOrNothingAsync(caller, request);
                answered.TrySetResult();
                return answer;
            });

            await answered.Task;
            await server.Process.KillAsync();
            var before = (await racing).OfType<VerifyResponse>().ToList();
            await server.Process.StartAgainAsync();
            var after = await Race.RunAsync(await Race.CallersAsync(server.Process, 64), caller => caller.VerifyAsync(request));

            var answer = Assert.Single(before.Concat(after).Distinct());
            Assert.Equal((Verdict.Accepted, 7), (answer.Verdict, answer.RecoveryCodesRemaining));
            Assert.Equal((Verdict.Rejected, 7), await OutcomeAsync(owner.RecoveryCodes[0]));
            Assert.Equal((Verdict.Accepted, 6), await OutcomeAsync(owner.RecoveryCodes[1]));
            if (before.Count is > 0 and < 64) midway++;

            async Task<(Verdict, int)> OutcomeAsync(string code)
            {
                var reply = await Caller.VerifyAsync(owner.Account, code);
                return (reply.Verdict, reply.RecoveryCodesRemaining);
            }
        }
    }

    [Fact]
    public async Task Sixty_four_copies_of_the_call_that_finishes_an_enrollment_get_one_answer()
    {
        var callers = await Race.CallersAsync(server.Process, 64);
        for (var round = 0; round < 10; round++)
        {
            var account = Owner.NewAccount();
            var started = await Caller.EnableAsync(account);
            var request = Request(account, await new Authenticator(started.Secret).CodeAsync(Authenticator.Step));
            request.EnrollmentId = started.EnrollmentId;

            var answers = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(request));

            Assert.All(answers, answer => Assert.Equal(nameof(Verdict.Accepted), answer));
        }
    }

    /// <returns>Null when the connection ended before there was one.</returns>
    private static async Task<VerifyResponse?> AnswerOrNothingAsync(Caller caller, VerifyRequest request)
    {
        try
        {
            return await caller.VerifyAsync(request);
        }
        catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled)
        {
            return null;
        }
    }

    private static VerifyRequest Request(string account, string code) =>
        new() { Account = account, Code = code, RequestId = Guid.NewGuid().ToString() };
}
