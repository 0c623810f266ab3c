using System.Globalization;
using System.Security.Cryptography;

namespace Mfa.EndToEnd.Processes;

/// <summary>
/// The owner's authenticator app: oathtool, which shares no code with the server. A code is asked for by its time step. The
/// server takes the steps before, at and after now, so codes of the current and of the next step stay good for at least one
/// whole step, however slow the machine; a test that uses the step before asks for room first.
/// </summary>
internal sealed class Authenticator(string secret)
{
    public const int Period = 30;

    /// <summary>The time step of now (RFC 6238 §4.2).</summary>
    public static long Step => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Period;

    /// <summary>The current step, once it will last for a while: what needs a fixed step must happen within it.</summary>
    public static async Task<long> StepWithRoomAsync(int seconds = 10)
    {
        var now = TimeProvider.System.GetUtcNow();
        var end = DateTimeOffset.FromUnixTimeSeconds((Step + 1) * Period);
        if (end - now < TimeSpan.FromSeconds(seconds)) await Clock.PassAsync(end);
        return Step;
    }

    public async Task<string> CodeAsync(long step) => (await CodesAsync(step, 1))[0];

    /// <summary>The codes of so many steps in a row.</summary>
    public async Task<string[]> CodesAsync(long first, int count, int digits = 6)
    {
        var moment = (first * Period).ToString(CultureInfo.InvariantCulture);
        var more = (count - 1).ToString(CultureInfo.InvariantCulture);
        // The secret goes through standard input: arguments are for everyone on the machine to read.
        var output = await OutsideProgram.OathtoolAsync(
            secret, "--totp=SHA1", "--base32", $"--digits={digits}", "--now", $"@{moment}", "--window", more, "-");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Different codes that are wrong now and stay wrong for ten minutes.</summary>
    public async Task<string[]> WrongCodesAsync(int count)
    {
        var right = await CodesAsync(Step - 5, 25);
        var wrong = new HashSet<string>(StringComparer.Ordinal);
        while (wrong.Count < count)
        {
            var code = RandomNumberGenerator.GetInt32(1_000_000).ToString("D6", CultureInfo.InvariantCulture);
            if (!right.Contains(code)) wrong.Add(code);
        }

        return [.. wrong];
    }

    public async Task<string> WrongCodeAsync() => (await WrongCodesAsync(1))[0];
}
