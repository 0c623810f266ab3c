using System.Globalization;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Transfer;

/// <summary>An app that somebody set up with another program: oathtool, with whatever that program chose.</summary>
/// <param name="Hex">The secret's bytes.</param>
internal sealed record ForeignApp(string Account, string Hex, string Algorithm = "SHA1", int Digits = 6, int Period = 30)
{
    /// <summary>The next step: good from now on, for at least two whole steps.</summary>
    public long Step => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / Period + 1;

    public async Task<string> CodeAsync(long step)
    {
        var moment = (step * Period).ToString(CultureInfo.InvariantCulture);
        var output = await OutsideProgram.OathtoolAsync(Hex, $"--totp={Algorithm}", $"--digits={Digits}", $"--time-step-size={Period}s", "--now", $"@{moment}", "-");
        return output.Trim();
    }
}
