using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

public sealed class RecoveryCodeTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task Each_of_the_eight_works_once() // RC1
    {
        var owner = await Owner.EnrolAsync(Caller);

        for (var i = 0; i < 8; i++)
        {
            var first = await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[i]);
            Assert.Equal((Verdict.Accepted, Factor.RecoveryCode, 7 - i), (first.Verdict, first.Factor, first.RecoveryCodesRemaining));
            Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[i])).Verdict);
        }
    }

    [Fact]
    public async Task Anothers_code_is_refused_and_stays_good_for_its_owner() // RC2
    {
        var (owner, other) = (await Owner.EnrolAsync(Caller), await Owner.EnrolAsync(Caller));

        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(other.Account, owner.RecoveryCodes[0])).Verdict);

        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        Assert.Equal(8, (await Caller.GetStatusAsync(other.Account)).RecoveryCodesRemaining);
    }

    [Fact]
    public async Task A_new_set_voids_the_old_one() // RC3
    {
        var owner = await Owner.EnrolAsync(Caller);

        var renewed = await Caller.RegenerateRecoveryCodesAsync(owner.Account, owner.NextCode);

        Assert.Equal(8, renewed.Length);
        Assert.Empty(renewed.Intersect(owner.RecoveryCodes, StringComparer.Ordinal));
        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0])).Verdict);
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, renewed[0])).Verdict);
    }

    [Fact]
    public async Task A_new_set_costs_a_code_and_that_code_is_used_up()
    {
        var owner = await Owner.EnrolAsync(Caller);

        var wrong = await owner.App.WrongCodeAsync();
        await Refused.ForCodeAsync(() => Caller.RegenerateRecoveryCodesAsync(owner.Account, wrong));
        await Refused.ForCodeAsync(() => Caller.RegenerateRecoveryCodesAsync(owner.Account, owner.UsedCode));
        await Caller.RegenerateRecoveryCodesAsync(owner.Account, owner.NextCode);

        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task The_owners_spelling_does_not_matter()
    {
        var owner = await Owner.EnrolAsync(Caller);
        Func<string, string>[] spellings =
        [
            code => code.ToLowerInvariant(),
            code => code.Replace("-", "", StringComparison.Ordinal),
            code => code.Replace('-', ' '),
            code => $"  {code} ",
            code => code.Replace('0', 'o').Replace('1', 'l'),
            code => code.Replace('0', 'O').Replace('1', 'I'),
        ];

        for (var i = 0; i < spellings.Length; i++)
            Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, spellings[i](owner.RecoveryCodes[i]))).Verdict);
    }

    [Fact]
    public async Task A_typing_error_is_no_guess()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var code = owner.RecoveryCodes[0].Replace("-", "", StringComparison.Ordinal);

        for (var i = 0; i < code.Length; i++)
        {
            var typo = code[..i] + (code[i] == 'X' ? 'Y' : 'X') + code[(i + 1)..];
            await Refused.ForFieldAsync("code", () => Caller.VerifyAsync(owner.Account, typo));
        }

        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, code)).Verdict);
    }

    [Fact]
    public async Task Only_their_number_is_told_afterwards() // RC8
    {
        var owner = await Owner.EnrolAsync(Caller);
        await Caller.VerifyAsync(owner.Account, owner.RecoveryCodes[0]);

        var status = await Caller.GetStatusAsync(owner.Account);

        Assert.Equal(7, status.RecoveryCodesRemaining);
        Assert.All(owner.RecoveryCodes, code => Assert.DoesNotContain(code, status.ToString(), StringComparison.Ordinal));
    }
}
