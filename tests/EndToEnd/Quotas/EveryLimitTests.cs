using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Quotas;

/// <summary>
/// Whoever exceeds a limit is told RESOURCE_EXHAUSTED and when to come back (TD12). Never UNAVAILABLE, which tells clients to
/// retry at once, and which gRPC makes of HTTP statuses such as 429 and 503: so a client that sees the right one shows that
/// the answer was given inside gRPC.
/// </summary>
public sealed class EveryLimitTests
{
    [Fact]
    public async Task Too_many_calls_are_answered_when_to_come_back()
    {
        await using var server = await ServerProcess.StartAsync("quota:callsPerSecond=1", "quota:callsBurst=1");

        await Past.LimitAsync("calls", () => UntilRefusedAsync(() => server.Dev.GetStatusAsync("nobody")));
    }

    [Fact]
    public async Task Too_many_guesses_are_answered_when_to_come_back()
    {
        await using var server = await ServerProcess.StartAsync("quota:guessesPerSecond=1", "quota:guessesBurst=1");

        await Past.LimitAsync("guesses", () => UntilRefusedAsync(() => server.Dev.EnableAsync("somebody")));
    }

    [Fact]
    public async Task Too_many_calls_of_a_person_are_answered_when_to_come_back()
    {
        // One a second and one at once: two at the same time are one too many, however long their passwords take.
        await using var server = await ServerProcess.StartAsync("quota:personCallsPerSecond=1", "quota:personCallsBurst=1", "passwords:parallel=2");
        await ServerProgram.AddPersonAsync(server.Data, "jane", "jane@example.org", "correct horse");
        using var jane = server.NewCallerWith(Caller.Basic("jane", "correct horse"));

        await Past.LimitAsync("calls", () => UntilRefusedAsync(() => Task.WhenAll(jane.GetStatusAsync(""), jane.GetStatusAsync(""))));
    }

    [Fact]
    public async Task Too_many_wrong_keys_are_answered_when_to_come_back()
    {
        await using var server = await ServerProcess.StartAsync("quota:failuresPerSecond=1", "quota:failuresBurst=20");
        using var stranger = server.NewCallerWith("Bearer wrong");

        await Past.LimitAsync("failures", () => UntilAsync(StatusCode.ResourceExhausted, () => stranger.GetStatusAsync("alice")));
    }

    [Fact]
    public async Task Too_many_passwords_at_once_are_answered_when_to_come_back()
    {
        await using var server = await ServerProcess.StartAsync("passwords:queue=0");
        using var stranger = server.NewCallerWith(Caller.Basic("nobody", "wrong password"));

        await Past.LimitAsync("passwords", () => UntilAsync(
            StatusCode.ResourceExhausted, () => Task.WhenAny(Enumerable.Range(0, 4).Select(_ => stranger.GetStatusAsync(""))).Unwrap()));
    }

    [Fact]
    public async Task Too_many_wrong_codes_are_answered_when_to_come_back()
    {
        await using var server = await ServerProcess.StartAsync("guesses:run=3");
        var owner = await Owner.EnrolAsync(server.Dev);
        foreach (var wrong in await owner.App.WrongCodesAsync(3)) await server.Dev.VerifyAsync(owner.Account, wrong);

        var status = await Refused.AsAsync(StatusCode.ResourceExhausted, ErrorReason.Locked,
            () => server.Dev.RegenerateRecoveryCodesAsync(owner.Account, owner.NextCode));

        Past.AssertSaysWhen(status);
    }

    [Fact]
    public async Task Too_many_messages_are_answered_when_to_come_back()
    {
        await using var server = await ServerProcess.StartAsync("sends:gapSeconds=3600");
        var byMail = new EnableRequest { Account = "alice", Method = Method.Email, Email = "alice@example.org" };
        await server.Dev.EnableAsync(byMail);

        var status = await Refused.AsAsync(StatusCode.ResourceExhausted, ErrorReason.SendLimit, () => server.Dev.EnableAsync(byMail));

        Past.AssertSaysWhen(status);
    }

    /// <summary>Repeats a call until it is refused: on a slow machine the next token can come in between.</summary>
    private static async Task UntilRefusedAsync(Func<Task> call)
    {
        while (true) await call();
    }

    /// <summary>Repeats a call that is refused one way until it is refused another way.</summary>
    private static async Task UntilAsync(StatusCode code, Func<Task> call)
    {
        while (true)
        {
            try
            {
                await call();
            }
            catch (RpcException refused) when (refused.StatusCode != code)
            {
                Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
            }
        }
    }
}
