namespace Mfa.Server.Backups;

/// <summary>Tells on standard error how far something is, once a second; nothing for what takes less.</summary>
internal sealed class Progress(string verb)
{
    private long _last = TimeProvider.System.GetTimestamp();

    public void Report(string what, long done, long all)
    {
        if (TimeProvider.System.GetElapsedTime(_last) < TimeSpan.FromSeconds(1)) return;
        _last = TimeProvider.System.GetTimestamp();
        Console.Error.WriteLine($"{verb}: {what}, {(all == 0 ? 100 : 100 * done / all)} %");
    }
}
