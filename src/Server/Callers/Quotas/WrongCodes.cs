namespace Mfa.Server.Callers.Quotas;

/// <summary>How many wrong codes make a spray, for how many accounts.</summary>
internal readonly record struct SprayLimit(int Wrong, int Accounts);

/// <summary>The wrong codes of one source within a sliding window, and the pause that they led to.</summary>
internal sealed class WrongCodes(SprayOptions options, TimeProvider clock)
{
    /// <summary>The window moves on in so many steps: a wrong code counts for five to six sixths of it.</summary>
    private const int Slots = 6;

    /// <summary>Accounts that a slot remembers; beyond them "or more" is said.</summary>
    private const int MaxAccounts = 1_000;

    private readonly Lock _lock = new();
    private readonly Slot[] _slots = new Slot[Slots];
    private readonly long _slotLength = Math.Max(1, (long)(options.Window.TotalSeconds / Slots * clock.TimestampFrequency));
    private long _newest = -Slots;
    private long _pauseEnd;

    public TimeSpan Pause => Volatile.Read(ref _pauseEnd) - clock.GetTimestamp() is var left and > 0
        ? TimeSpan.FromMilliseconds(Math.Ceiling(left * 1000.0 / clock.TimestampFrequency))
        : TimeSpan.Zero;

    /// <summary>Nothing within the window, and no pause.</summary>
    public bool IsIdle => Pause == TimeSpan.Zero && Volatile.Read(ref _newest) <= Now() - Slots;

    /// <summary>Counts one. In a pause it does not count: it was on its way when the pause began.</summary>
    /// <param name="account">A hash of the account; two that share one count as one.</param>
    /// <returns>The wrong codes and accounts when this one began a pause; otherwise null.</returns>
    public SprayLimit? Add(int account, SprayLimit limit)
    {
        lock (_lock)
        {
            if (Pause > TimeSpan.Zero) return null;
            MoveOn();
            ref var slot = ref _slots[_newest % Slots];
            slot.Wrong++;
            slot.Accounts ??= [];
            if (slot.Accounts.Count < MaxAccounts) slot.Accounts.Add(account);

            var wrong = _slots.Sum(s => s.Wrong);
            if (wrong < limit.Wrong) return null;
            var accounts = _slots.SelectMany(s => s.Accounts ?? []).Distinct().Count();
            if (accounts < limit.Accounts) return null;

            _pauseEnd = clock.GetTimestamp() + (long)(options.Pause.TotalSeconds * clock.TimestampFrequency);
            Array.Clear(_slots); // the next pause takes as many again
            return new SprayLimit(wrong, accounts);
        }
    }

    private void MoveOn()
    {
        var now = Now();
        if (now - _newest >= Slots) Array.Clear(_slots);
        else for (var old = _newest + 1; old <= now; old++) _slots[old % Slots] = default;
        _newest = now;
    }

    private long Now() => clock.GetTimestamp() / _slotLength;

    private struct Slot
    {
        public int Wrong;
        public HashSet<int>? Accounts;
    }
}
