using System.Globalization;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Other spellings of a right code. Were one of them taken, a used code would be good again in its other clothes.</summary>
public sealed class BadCodeTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task No_other_spelling_of_a_code_counts_before_or_after_the_plain_one() // CC1, CC2, CC3, CC6
    {
        var owner = await Owner.EnrolAsync(Caller);

        await AssertNoneIsACodeAsync(owner, Spellings(owner.NextCode));
        Assert.Equal(Verdict.Accepted, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        await AssertNoneIsACodeAsync(owner, Spellings(owner.NextCode));

        // None of them was a guess: this is the first one.
        Assert.Equal(4, (await Caller.VerifyAsync(owner.Account, await owner.App.WrongCodeAsync())).AttemptsRemaining);
    }

    [Fact]
    public async Task No_other_spelling_of_a_code_finishes_an_enrollment()
    {
        var account = Owner.NewAccount();
        var started = await Caller.EnableAsync(account);
        var codes = await new Authenticator(started.Secret).CodesAsync(Authenticator.Step, 1);

        foreach (var spelling in Spellings(codes[0]))
            await Refused.ForFieldAsync("code", () => Caller.VerifyAsync(account, spelling, started.EnrollmentId));

        Assert.Equal(5, (await Caller.VerifyAsync(account, codes[0], started.EnrollmentId)).AttemptsRemaining);
    }

    [Fact]
    public async Task No_code_is_a_bad_field_whatever_the_state_of_the_account() // CC4
    {
        var (none, pending) = (Owner.NewAccount(), Owner.NewAccount());
        var started = await Caller.EnableAsync(pending);
        var owner = await Owner.EnrolAsync(Caller);

        foreach (var account in new[] { none, pending, owner.Account })
        {
            await Refused.ForFieldAsync("code", () => Caller.VerifyAsync(account, ""));
            await Refused.ForFieldAsync("code", () => Caller.VerifyAsync(account, "", started.EnrollmentId));
            await Refused.ForFieldAsync("code", () => Caller.RegenerateRecoveryCodesAsync(account, ""));
        }

        await Refused.AsNotEnabledAsync(() => Caller.VerifyAsync(none, "000000"));
        await Refused.AsNotEnabledAsync(() => Caller.VerifyAsync(pending, "000000"));
    }

    private async Task AssertNoneIsACodeAsync(Owner owner, IEnumerable<string> spellings)
    {
        foreach (var spelling in spellings)
        {
            await Refused.ForFieldAsync("code", () => Caller.VerifyAsync(owner.Account, spelling));
            await Refused.ForFieldAsync("code", () => Caller.EnableAsync(owner.Account, spelling));
            await Refused.ForFieldAsync("code", () => Caller.RegenerateRecoveryCodesAsync(owner.Account, spelling));
        }
    }

    private static IEnumerable<string> Spellings(string code)
    {
        string[] blanks = [" ", "\t", "\n", "\r", "\r\n", "\v", "\0", "\u00A0", "\u200B", "\u2009", "\u3000", "\uFEFF"];
        string[] digits = ["\u0660", "\u06F0", "\u0966", "\uFF10", "\uD835\uDFCE"]; // zeros of other scripts
        foreach (var blank in blanks)
        {
            yield return blank + code;
            yield return code + blank;
            yield return code[..3] + blank + code[3..];
        }

        foreach (var zero in digits)
            yield return string.Concat(code.Select(c => char.ConvertFromUtf32(char.ConvertToUtf32(zero, 0) + c - '0')));

        yield return "+" + code;
        yield return "-" + code;
        yield return code[..3] + "," + code[3..];
        yield return code[..3] + "-" + code[3..];
        yield return code + ".0";
        yield return code + "e0";
        yield return "0x" + int.Parse(code, CultureInfo.InvariantCulture).ToString("X", CultureInfo.InvariantCulture);
        yield return "-0";
        yield return "1e5";
        foreach (var length in new[] { 7, 8, 9, 1000 }) yield return code.PadLeft(length, '0');
        yield return code[1..];
        yield return code + code;
    }
}
