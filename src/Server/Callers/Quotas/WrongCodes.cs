namespace Mfa.Server.Callers.Quotas;

/// <summary>How many wrong codes make a spray, for how many accounts.</summary>
internal readonly record struct SprayLimit(int Wrong, int Accounts);

/// <summary>The wrong codes of one source within a sliding window, and the pause that they led to.</summary>
internal sealed class WrongCodes(SprayOptions options, TimeProvider clock)
{
    /// <summary>Accounts that a slot remembers; beyond them "or more" is said.</summary>
    public const int MaxAccounts = 1_000;

    /// <summary>The window moves on in so many steps: a wrong code counts for five to six sixths of it.</summary>
    private const int Slots = 6;

    private readonly Lock _lock = new();
    private readonly Slot[] _slots = new Slot[Slots];
    private readonly long _slotLength = Math.Max(1, (long)(options.Window.TotalSeconds / Slots * clock.TimestampFrequency));
    private long _newest = -Slots;
    private long _pauseEnd;

    public TimeSpan Pause => Volatile.Read(ref _pauseEnd) - clock.GetTimestamp() is var left and > 0
        ? TimeSpan.FromMilliseconds(Math.Ceiling(left * 1000.0 / clock.TimestampFrequency))
        : TimeSpan.Zero;

    /// <summary>Nothing within the window, and no pause.</summary>
    public bool IsIdle => Pause == TimeSpan.Zero && Volatile.Read(ref _newest) <= clock.GetTimestamp() / _slotLength - Slots;

    /// <summary>Counts some. In a pause they do not count: they were on their way when it began.</summary>
    /// <param name="accounts">Digests of their accounts; two that share one count as one.</param>
    /// <param name="age">How long ago they were sent: other servers tell of theirs afterwards.</param>
    /// <returns>The wrong codes and accounts when these began a pause; otherwise null.</returns>
    public SprayLimit? Add(int count, ReadOnlySpan<long> accounts, TimeSpan age, SprayLimit limit)
    {
        lock (_lock)
        {
            var then = Math.Max(0, clock.GetTimestamp() - Units(age));
            var number = then / _slotLength;
            if (number > _newest || age == TimeSpan.Zero) MoveOn(number);
            if (then < _pauseEnd || number <= _newest - Slots) return null;
            ref var slot = ref _slots[number % Slots];
            slot.Wrong += Math.Max(0, count);
            slot.Accounts ??= [];
            foreach (var account in accounts)
            {
                if (slot.Accounts.Count < MaxAccounts) slot.Accounts.Add(account);
            }

            var wrong = _slots.Sum(s => s.Wrong);
            if (wrong < limit.Wrong) return null;
            var different = _slots.SelectMany(s => s.Accounts ?? []).Distinct().Count();
            if (different < limit.Accounts) return null;

            _pauseEnd = then + Units(options.Pause);
            Array.Clear(_slots); // the next pause takes as many again
            return new SprayLimit((int)Math.Min(wrong, int.MaxValue), different);
        }
    }

    private void MoveOn(long number)
    {
        if (number - _newest >= Slots) Array.Clear(_slots);
        else for (var old = _newest + 1; old <= number; old++) _slots[old % Slots] = default;
        _newest = number;
    }

    private long Units(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    private struct Slot
    {
        public long Wrong;
        public HashSet<long>? Accounts;
    }
}
