using Mfa.Server.Observability;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>
/// Puts a changed key ring in place in a running server: within a second, or as soon as a row names a key that is not in the
/// ring. A file that is broken or belongs to another database changes nothing but the log.
/// </summary>
internal sealed class RingWatch(IStore store, KeyRing ring, string ringPath, TimeProvider clock, ILogger<RingWatch> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Lock _one = new();
    private Stamp? _taken;
    private Stamp? _refused;
    private uint? _served;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ring.Renew = Renew;
        using var timer = new PeriodicTimer(Period, clock);
        do await LookAsync();
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Takes a changed file over, and notes in the database which key is in use: whoever removes the old one asks for that.</summary>
    public async Task LookAsync()
    {
        try
        {
            // The check value is saved before the first row that needs the key.
            if (Stamp.Of(ringPath) != _taken) await RingCheck.RunAsync(store, KeyRingFile.Load(ringPath), ringPath);
            Renew();
            if (_served == ring.ActiveId) return;
            var active = ring.ActiveId;
            await store.WriteAsync(session => RingKeyRows.SetServed(session, active, clock.GetUtcNow()));
            _served = active;
        }
        catch (StartRefusedException refused)
        {
            Refuse(refused);
        }
        catch (StoreUnavailableException why)
        {
            log.RingWatchFailed(why);
        }
    }

    private void Renew()
    {
        lock (_one)
        {
            try
            {
                var stamp = Stamp.Of(ringPath); // first: a change while it is read is seen the next time
                if (stamp == _taken) return;
                var newer = KeyRingFile.Load(ringPath);
                if (!RingCheck.Knows(store, newer, ringPath)) return; // the next look makes it known
                _taken = stamp;
                if (newer.ActiveId == ring.ActiveId && newer.Ids.ToHashSet().SetEquals(ring.Ids)) return;
                ring.TakeOver(newer);
                log.RingChanged($"{newer.ActiveId:x8}", newer.Ids.Count());
            }
            catch (StartRefusedException refused)
            {
                Refuse(refused);
            }
        }
    }

    /// <summary>Says so once for each state of the file, and looks again all the same: what is missing may be the database's part.</summary>
    private void Refuse(StartRefusedException refused)
    {
        var stamp = Stamp.Of(ringPath);
        if (stamp == _refused) return;
        _refused = stamp;
        log.RingRefused(refused.Message);
    }

    /// <summary>What tells that a file is another one than before.</summary>
    private sealed record Stamp(DateTime Written, long Length, UnixFileMode Mode)
    {
        private static readonly Stamp Gone = new(default, Length: -1, UnixFileMode.None);

        public static Stamp Of(string path)
        {
            try
            {
                var file = new FileInfo(path);
                if (file.LinkTarget is not null) file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
                return file.Exists ? new Stamp(file.LastWriteTimeUtc, file.Length, file.UnixFileMode) : Gone;
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                return Gone; // loading it says why
            }
        }
    }
}
