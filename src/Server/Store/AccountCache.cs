using System.Buffers.Binary;
using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>
/// Accounts that were read or saved last, in memory, up to so many bytes. What it finds was committed once and may have been
/// replaced since, by an operator verb in another process for one: good for decisions, which are saved only on the state that
/// is there, and for nothing else. Secrets in it are as sealed as on the disk.
/// </summary>
internal sealed class AccountCache
{
    /// <summary>Callers of different accounts seldom wait for each other.</summary>
    private const int Shards = 16;

    private readonly Shard[] _shards = new Shard[Shards];

    /// <param name="mebibytes">The most that it takes; 0 for nothing.</param>
    public AccountCache(int mebibytes)
    {
        for (var i = 0; i < Shards; i++) _shards[i] = new Shard(mebibytes * (1024 * 1024 / Shards));
    }

    /// <returns>Null for an account that is not in memory, whether or not there is one.</returns>
    public Account? Find(AccountKey key)
    {
        var hash = key.GetHashCode();
        return ShardOf(hash).Find(hash, key);
    }

    /// <summary>Takes in what was committed, unless it has something newer. Forgets an account with anything underway.</summary>
    public void Put(Account account)
    {
        Span<byte> image = stackalloc byte[AccountImage.Longest];
        var length = AccountImage.Write(account, image);
        var hash = account.Key.GetHashCode();
        if (length == 0) ShardOf(hash).Remove(hash);
        else ShardOf(hash).Put(hash, account.Key, image[..length]);
    }

    public void Remove(AccountKey key)
    {
        var hash = key.GetHashCode();
        ShardOf(hash).Remove(hash);
    }

    private Shard ShardOf(int hash) => _shards[hash & (Shards - 1)];

    /// <summary>
    /// A ring of bytes that new entries are written around, over the oldest ones: no pieces to be collected, and nothing to be kept
    /// up at a look. An entry is its length, its hash, and the image.
    /// </summary>
    private sealed class Shard(int most)
    {
        private const int Header = 2 * sizeof(int);

        private readonly Lock _lock = new();
        private readonly Dictionary<int, int> _places = [];

        /// <summary>The whole of it at once, and not cleared: the system gives memory only for the part that is written to.</summary>
        private readonly Lazy<byte[]> _ring = new(() => GC.AllocateUninitializedArray<byte>(most));

        /// <summary>Where the next entry goes.</summary>
        private int _end;

        /// <summary>The oldest entry of the lap before, and where that lap ended.</summary>
        private int _oldest, _lapEnd;

        public Account? Find(int hash, AccountKey key)
        {
            lock (_lock) return _places.TryGetValue(hash, out var place) ? AccountImage.Read(key, ImageAt(place)) : null;
        }

        public void Put(int hash, AccountKey key, ReadOnlySpan<byte> image)
        {
            lock (_lock)
            {
                if (_places.TryGetValue(hash, out var place))
                {
                    var old = ImageAt(place);
                    if (AccountImage.IsOf(key, old) && AccountImage.VersionOf(old) > AccountImage.VersionOf(image)) return;
                    if (old.Length == image.Length)
                    {
                        image.CopyTo(old);
                        return;
                    }
                }

                Append(hash, image);
            }
        }

        public void Remove(int hash)
        {
            lock (_lock) _places.Remove(hash);
        }

        private Span<byte> ImageAt(int place) => _ring.Value.AsSpan(place, LengthAt(place))[Header..];

        private int LengthAt(int place) => BinaryPrimitives.ReadInt32LittleEndian(_ring.Value.AsSpan(place));

        private void Append(int hash, ReadOnlySpan<byte> image)
        {
            var length = Header + image.Length;
            if (length > most) return;
            if (_end + length > most)
            {
                while (_oldest < _lapEnd) DropOldest();
                (_lapEnd, _end, _oldest) = (_end, 0, 0);
            }

            while (_oldest < _lapEnd && _oldest < _end + length) DropOldest();
            BinaryPrimitives.WriteInt32LittleEndian(_ring.Value.AsSpan(_end), length);
            BinaryPrimitives.WriteInt32LittleEndian(_ring.Value.AsSpan(_end + sizeof(int)), hash);
            image.CopyTo(_ring.Value.AsSpan(_end + Header));
            _places[hash] = _end;
            _end += length;
        }

        private void DropOldest()
        {
            var hash = BinaryPrimitives.ReadInt32LittleEndian(_ring.Value.AsSpan(_oldest + sizeof(int)));
            if (_places.TryGetValue(hash, out var place) && place == _oldest) _places.Remove(hash);
            _oldest += LengthAt(_oldest);
        }
    }
}
