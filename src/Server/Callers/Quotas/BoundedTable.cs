using System.Collections.Concurrent;

namespace Mfa.Server.Callers.Quotas;

/// <summary>
/// A value for each key, and never more than so many: subjects of tokens and addresses come without end. When it is full,
/// idle values go, which say no more than a new one would. While all are busy, keys without a value share one: newcomers get
/// less then, and nobody who is in loses what was counted.
/// </summary>
internal sealed class BoundedTable<TKey, TValue>(
    int capacity, Func<TKey, TValue> create, Func<TValue, bool> isIdle, TimeProvider clock)
    where TKey : notnull
    where TValue : class
{
    /// <summary>Looking through all of them costs about a millisecond: not more often than this.</summary>
    private static readonly TimeSpan SweepPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TKey, TValue> _values = [];
    private readonly Lock _sweeping = new();
    private TValue? _shared;
    private int _count;
    private long? _lastSweep;

    /// <summary>Each key that has a value of its own.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> All => _values;

    /// <summary>The value, made when there is none.</summary>
    public TValue Get(TKey key)
    {
        if (_values.TryGetValue(key, out var value)) return value;
        if (Interlocked.Increment(ref _count) > capacity && !MakesRoom())
        {
            Interlocked.Decrement(ref _count);
            return Shared(key);
        }

        var made = create(key);
        if (_values.TryAdd(key, made)) return made;
        Interlocked.Decrement(ref _count);
        return _values.GetValueOrDefault(key) ?? made; // swept again at once: it was idle, as this one is
    }

    /// <summary>The value that <see cref="Get"/> would find; null when it would make one.</summary>
    public TValue? Find(TKey key) =>
        _values.GetValueOrDefault(key) ?? (Volatile.Read(ref _count) >= capacity ? Volatile.Read(ref _shared) : null);

    private TValue Shared(TKey key) => Volatile.Read(ref _shared) ?? Interlocked.CompareExchange(ref _shared, create(key), null) ?? _shared;

    /// <summary>A call that holds an idle value while it is swept counts on nothing that lasts: one call of a caller that was idle.</summary>
    private bool MakesRoom()
    {
        if (!_sweeping.TryEnter()) return false;
        try
        {
            if (_lastSweep is { } last && clock.GetElapsedTime(last) < SweepPause) return false;
            _lastSweep = clock.GetTimestamp();
            foreach (var (key, value) in _values)
            {
                if (isIdle(value) && _values.TryRemove(KeyValuePair.Create(key, value))) Interlocked.Decrement(ref _count);
            }

            return Volatile.Read(ref _count) <= capacity;
        }
        finally
        {
            _sweeping.Exit();
        }
    }
}
