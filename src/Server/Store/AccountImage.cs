using System.Buffers.Binary;
using System.Text;
using Mfa.Server.Domain;

namespace Mfa.Server.Store;

/// <summary>
/// An account as bytes in memory. Only of one whose factor is in force and that has nothing underway, neither an enrollment nor a
/// sent code nor a token: those are nearly all accounts nearly all the time.
/// </summary>
internal static class AccountImage
{
    /// <summary>More than any account takes: names, an address, a phone, a secret and the hashes of recovery codes at their longest.</summary>
    public const int Longest = 2048;

    /// <summary>More than what is of one length takes: numbers, times and ids.</summary>
    private const int OfOneLength = 256;

    /// <returns>How many bytes it took; 0 when it has something underway.</returns>
    public static int Write(Account account, Span<byte> image)
    {
        if (account is not { InForce: { OpenCode: null, Spent: null } factor, Pending: null, PendingExpireTime: null, DisableToken: null }) return 0;
        var parts = factor.Recovery.Hashes.Length + (factor.Secret?.Bytes.Length ?? 0) + (factor.Email?.Bytes.Length ?? 0) + (factor.Phone?.Bytes.Length ?? 0);
        if (OfOneLength + parts > Longest / 2) return 0; // the other half is for the names, each of 128 characters at most
        var to = new Writer(image);
        to.Long(account.Version);
        to.Text(account.Key.Tenant);
        to.Text(account.Key.Account);
        to.Time(account.EnableTime);
        to.Time(account.DisableTime);
        foreach (var guesses in (ReadOnlySpan<GuessBudget>)[account.FactorGuesses, account.EnrollmentGuesses, account.RecoveryGuesses])
        {
            to.Int((uint)guesses.Failures);
            to.Time(guesses.LockedUntil);
        }

        to.Id(factor.Id);
        to.Byte((byte)factor.Method);
        to.Byte((byte)factor.Totp.Algorithm);
        to.Byte((byte)factor.Totp.Digits);
        to.Byte((byte)factor.Totp.PeriodSeconds);
        to.Bytes(factor.Secret?.Bytes);
        to.Long(factor.LastStep);
        to.Id(factor.Recovery.Id);
        to.Int(factor.Recovery.KeyId);
        to.Bytes(factor.Recovery.Hashes);
        to.Byte(factor.Recovery.Used);
        to.Byte(factor.Recovery.Stale ? (byte)1 : (byte)0);
        to.Bytes(factor.Email?.Bytes);
        to.Bytes(factor.Phone?.Bytes);
        to.Text(factor.Locale ?? "");
        return to.Length;
    }

    public static long VersionOf(ReadOnlySpan<byte> image) => new Reader(image).Long();

    public static bool IsOf(AccountKey key, ReadOnlySpan<byte> image)
    {
        var from = new Reader(image[sizeof(long)..]);
        return Ascii.Equals(from.Bytes(), key.Tenant) && Ascii.Equals(from.Bytes(), key.Account);
    }

    /// <returns>Null when it is the image of another account.</returns>
    public static Account? Read(AccountKey key, ReadOnlySpan<byte> image)
    {
        if (!IsOf(key, image)) return null;
        var from = new Reader(image);
        var version = from.Long();
        from.Bytes();
        from.Bytes();
        return new Account(key)
        {
            Version = version,
            EnableTime = from.Time(),
            DisableTime = from.Time(),
            FactorGuesses = new GuessBudget((int)from.Int(), from.Time()),
            EnrollmentGuesses = new GuessBudget((int)from.Int(), from.Time()),
            RecoveryGuesses = new GuessBudget((int)from.Int(), from.Time()),
            InForce = new Enrollment(
                from.Id(),
                (Method)from.Byte(),
                new TotpParameters((OtpAlgorithm)from.Byte(), from.Byte(), from.Byte()),
                from.Sealed(),
                from.Long(),
                new RecoverySet(from.Id(), from.Int(), from.Bytes().ToArray(), from.Byte(), Stale: from.Byte() == 1),
                from.Sealed(),
                from.Sealed(),
                from.Bytes() is { Length: > 0 } locale ? Encoding.UTF8.GetString(locale) : null),
        };
    }

    private ref struct Writer(Span<byte> room)
    {
        private readonly Span<byte> _room = room;

        public int Length { get; private set; }

        public void Byte(byte value) => Take(1)[0] = value;

        public void Long(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(sizeof(long)), value);

        public void Int(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(sizeof(uint)), value);

        /// <summary>To the millisecond, as in the database. Most are not there, and take a byte.</summary>
        public void Time(DateTimeOffset? time)
        {
            Byte(time is null ? (byte)0 : (byte)1);
            if (time is { } value) Long(value.ToUnixTimeMilliseconds());
        }

        public void Id(Guid id) => id.TryWriteBytes(Take(16));

        /// <summary>Nothing and no bytes are the same.</summary>
        public void Bytes(ReadOnlySpan<byte> bytes)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(ushort)), (ushort)bytes.Length);
            bytes.CopyTo(Take(bytes.Length));
        }

        public void Text(string text)
        {
            var length = Encoding.UTF8.GetByteCount(text);
            BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(ushort)), (ushort)length);
            Encoding.UTF8.GetBytes(text, Take(length));
        }

        private Span<byte> Take(int count)
        {
            var taken = _room.Slice(Length, count);
            Length += count;
            return taken;
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> image)
    {
        private ReadOnlySpan<byte> _rest = image;

        public byte Byte() => Take(1)[0];

        public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

        public uint Int() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

        public DateTimeOffset? Time() => Byte() == 1 ? DateTimeOffset.FromUnixTimeMilliseconds(Long()) : null;

        public Guid Id() => new(Take(16));

        public ReadOnlySpan<byte> Bytes() => Take(BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort))));

        public SealedBytes? Sealed() => Bytes() is { Length: > 0 } bytes ? new SealedBytes(bytes.ToArray()) : null;

        private ReadOnlySpan<byte> Take(int count)
        {
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }
    }
}
