using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;

namespace Mfa.Server.Protection;

/// <summary>A stored password: PBKDF2-HMAC-SHA-512, then a keyed hash, then one that names the person. Carries its own cost, so that the setting can rise.</summary>
internal sealed record PasswordHash(uint KeyId, int Rounds, byte[] Salt, byte[] Hash)
{
    public override string ToString() => nameof(PasswordHash);
}

/// <summary>
/// Hashes passwords (NIST SP 800-63B §3.1.1.2: salted, stretched, and keyed with a secret kept elsewhere). One hash costs
/// about 180 ms of a core at 210,000 rounds, so only <see cref="Callers.PasswordGate"/> calls this, a few at a time.
/// </summary>
internal sealed class PasswordHasher
{
    /// <summary>OWASP's minimum for PBKDF2-HMAC-SHA-512.</summary>
    public const int MinRounds = 210_000;

    private const int SaltBytes = 16;
    private const int HashBytes = 32;

    private readonly KeyRing _ring;
    private readonly CarriedHashes _stored;
    private readonly Counter<long> _rounds;

    public PasswordHasher(KeyRing ring)
    {
        _ring = ring;
        _stored = new CarriedHashes(ring, KeyPurpose.Passwords, HashBytes);
        // What passwords cost: a flood of logins shows here, and that an unknown name costs what a known one does.
        _rounds = new Meter("Mfa.Server", version: null, tags: null, scope: this).CreateCounter<long>(
            "mfa.password.rounds", "{round}", "PBKDF2 rounds computed for passwords");
    }

    public PasswordHash New(string name, string password, int rounds)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var keyId = _ring.ActiveId;
        return new PasswordHash(keyId, rounds, salt, Compute(_ring.SubKey(keyId, KeyPurpose.Passwords), name, password, salt, rounds));
    }

    /// <summary>Never matches and costs as much as a real one: an unknown name takes the time of a wrong password.</summary>
    public PasswordHash Nobody(int rounds) =>
        new(_ring.ActiveId, rounds, RandomNumberGenerator.GetBytes(SaltBytes), RandomNumberGenerator.GetBytes(HashBytes));

    /// <summary>HMAC pads a short key with zeros, so that a NUL at the end would change nothing: such a password is another one.</summary>
    public bool Matches(string name, string password, PasswordHash stored)
    {
        var (key, hash) = _stored.Open(stored.KeyId, stored.Hash, Sealer.PasswordBinding(name, stored.Salt));
        return CryptographicOperations.FixedTimeEquals(Compute(key, name, password, stored.Salt, stored.Rounds), hash) && !password.Contains('\0');
    }

    /// <returns>The hash under the active key; the same instance when it is already.</returns>
    public PasswordHash CarryOver(string name, PasswordHash stored)
    {
        if (stored.KeyId == _ring.ActiveId) return stored;
        var (keyId, hash) = _stored.CarryOver(stored.KeyId, stored.Hash, Sealer.PasswordBinding(name, stored.Salt));
        return stored with { KeyId = keyId, Hash = hash };
    }

    /// <summary>
    /// Makes a hash of before schema 7 one that names its person; nobody needs the password for it. It comes back carried over,
    /// see <see cref="CarriedHashes"/>.
    /// </summary>
    /// <exception cref="CryptographicException">It does not open with this ring.</exception>
    public static PasswordHash Name(KeyRing ring, string name, PasswordHash unnamed)
    {
        var hashes = new CarriedHashes(ring, KeyPurpose.Passwords, HashBytes);
        var (key, hash) = hashes.Open(unnamed.KeyId, unnamed.Hash, Sealer.UnnamedPasswordBinding(unnamed.Salt));
        var binding = Sealer.PasswordBinding(name, unnamed.Salt);
        var named = new Sealer(ring).Seal([.. key, .. Named(key, binding, hash)], binding);
        return unnamed with { KeyId = Sealer.KeyIdOf(named), Hash = named.Bytes };
    }

    private byte[] Compute(byte[] key, string name, string password, byte[] salt, int rounds)
    {
        _rounds.Add(rounds);
        var stretched = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, rounds, HashAlgorithmName.SHA512, HashBytes);
        return Named(key, Sealer.PasswordBinding(name, salt), HMACSHA256.HashData(key, stretched));
    }

    /// <summary>A hash of its own on top, so that what was stored without a name could be brought to this form.</summary>
    private static byte[] Named(byte[] key, byte[] binding, byte[] hash)
    {
        byte[] both = [.. binding, .. hash];
        return HMACSHA256.HashData(key, both);
    }
}
