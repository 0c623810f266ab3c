using System.Globalization;

namespace Mfa.Server.Backups;

/// <summary>Tells on standard error how far something is, once a second; nothing for what takes less.</summary>
internal sealed class Progress(string verb)
{
    private long _last = TimeProvider.System.GetTimestamp();

    public void Report(string what, long done, long all)
    {
        if (IsTime()) Console.Error.WriteLine($"{verb}: {what}, {(all == 0 ? 100 : 100 * done / all)} %");
    }

    /// <summary>For what nobody knows the length of.</summary>
    public void Report(long done, string what)
    {
        if (IsTime()) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{verb}: {done:N0} {what}"));
    }

    private bool IsTime()
    {
        if (TimeProvider.System.GetElapsedTime(_last) < TimeSpan.FromSeconds(1)) return false;
        _last = TimeProvider.System.GetTimestamp();
        return true;
    }
}
