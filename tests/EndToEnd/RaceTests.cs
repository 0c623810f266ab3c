using System.Security.Cryptography;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Lets one caller call as often as the machine can: a fast one makes the 9,000 guesses of these tests in two seconds.</summary>
public sealed class ServerWithoutQuotas() : DevServer(["quota:callsPerSecond=0", "quota:guessesPerSecond=0"]);

/// <summary>Many callers, each on a connection of its own, at the same moment.</summary>
public sealed class RaceTests(ServerWithoutQuotas server) : IClassFixture<ServerWithoutQuotas>, IAsyncDisposable
{
    private const string Accepted = nameof(Verdict.Accepted);
    private const string Rejected = nameof(Verdict.Rejected);
    private const string Locked = nameof(Verdict.Locked);

    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task Of_64_tries_with_one_right_code_exactly_one_is_accepted() // RR2
    {
        var callers = await Race.CallersAsync(server.Process, 64);
        for (var round = 0; round < 100; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);

            var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.NextCode));

            Assert.Single(outcomes, outcome => outcome == Accepted);
            Assert.Equal(63, outcomes.Count(outcome => outcome is Rejected or Locked));
        }
    }

    [Fact]
    public async Task Of_32_tries_with_one_recovery_code_exactly_one_is_accepted_and_the_other_seven_stay_good() // RR8
    {
        var callers = await Race.CallersAsync(server.Process, 32);
        var owners = new List<Owner>();
        for (var round = 0; round < 8; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);

            var outcomes = await Race.OutcomesAsync(callers, caller => caller.VerifyAsync(owner.Account, owner.RecoveryCodes[round]));

            Assert.Single(outcomes, outcome => outcome == Accepted);
            Assert.Equal(31, outcomes.Count(outcome => outcome is Rejected or Locked));
            Assert.Equal(7, (await Caller.GetStatusAsync(owner.Account)).RecoveryCodesRemaining);
            owners.Add(owner);
        }

        // The losers were wrong guesses and have locked this kind of code, for a minute that no setting shortens.
        var last = await Caller.VerifyAsync(owners[^1].Account, owners[^1].RecoveryCodes[0]);
        Assert.Equal(Verdict.Locked, last.Verdict);
        await Clock.PassAsync(last.RetryTime.ToDateTimeOffset());
        for (var round = 0; round < owners.Count; round++)
        {
            foreach (var code in owners[round].RecoveryCodes.Where((_, i) => i != round))
                Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owners[round].Account, code)).Verdict);
        }
    }

    [Fact]
    public async Task Of_100_guesses_at_once_no_more_are_looked_at_than_a_run_allows() // RR10
    {
        const int Rounds = 25;
        var callers = await Race.CallersAsync(server.Process, 101);
        var hits = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);
            var codes = new List<string>(await owner.App.WrongCodesAsync(100));
            codes.Insert(RandomNumberGenerator.GetInt32(101), owner.NextCode);

            var outcomes = await Race.OutcomesAsync(callers, (caller, i) => caller.VerifyAsync(owner.Account, codes[i]));

            // A right code among the first five starts the count over.
            var hit = outcomes.Count(outcome => outcome == Accepted);
            var lookedAt = outcomes.Count(outcome => outcome == Rejected);
            Assert.True(hit <= 1, "One code was accepted twice.");
            Assert.InRange(lookedAt, 5, hit == 0 ? 5 : 9);
            Assert.Equal(101 - hit - lookedAt, outcomes.Count(outcome => outcome == Locked));
            Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
            hits += hit;
        }

        // 5 of 101 places win: 1.2 hits are expected, and ten come by chance once in four million runs.
        Assert.InRange(hits, 0, 9);
    }
}
