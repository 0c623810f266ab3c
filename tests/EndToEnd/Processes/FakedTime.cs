using System.Globalization;

namespace Mfa.EndToEnd.Processes;

/// <summary>
/// A system clock for one process that can be set while it runs (Debian package faketime). The clock that nobody sets stays the
/// machine's own.
/// </summary>
internal sealed class FakedTime : IDisposable
{
    private readonly TempFolder _folder = new();

    public FakedTime() => Set(TimeSpan.Zero);

    public Dictionary<string, string> Environment => new(StringComparer.Ordinal)
    {
        ["LD_PRELOAD"] = Library(),
        ["FAKETIME_TIMESTAMP_FILE"] = _folder["offset"],
        ["FAKETIME_NO_CACHE"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0", // a mend for other C libraries; with this one each timed wait ends at once, and the server spins
        ["DONT_FAKE_MONOTONIC"] = "1",
    };

    /// <summary>How far the clock is ahead of the world's.</summary>
    public TimeSpan Offset { get; private set; }

    /// <summary>The time step that the process is in.</summary>
    public long Step => (TimeProvider.System.GetUtcNow() + Offset).ToUnixTimeSeconds() / Authenticator.Period;

    public void Set(TimeSpan offset)
    {
        Offset = offset;
        // In one piece: the process reads it at every look at the clock.
        File.WriteAllText(_folder["next"], ((long)offset.TotalSeconds).ToString("+0;-0;+0", CultureInfo.InvariantCulture) + "\n");
        File.Move(_folder["next"], _folder["offset"], overwrite: true);
    }

    public void SetTo(DateTimeOffset moment) => Set(moment - TimeProvider.System.GetUtcNow());

    public void Dispose() => _folder.Dispose();

    private static string Library()
    {
        var folder = Directory.GetDirectories("/usr/lib").Select(place => Path.Combine(place, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);
        return folder ?? throw new InvalidOperationException("These tests need libfaketime. On Debian: apt-get install faketime");
    }
}
