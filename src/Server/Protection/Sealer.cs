using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Mfa.Server.Domain;

namespace Mfa.Server.Protection;

/// <summary>
/// Seals secrets with AES-256-GCM under a key of their own, bound to the place they belong to: bytes copied to another
/// account, enrollment or column do not open.
/// </summary>
/// <remarks>
/// Layout: format (1), key id (4), salt (16), tag (16), ciphertext. Key and nonce are derived from the ring key and a random
/// salt, so a nonce can only repeat under a key if 128 random bits do: format 2 by one block of HMAC-SHA-512, a PRF that gives
/// both at once; format 1, which still opens, by HKDF-Expand with SHA-256, which took two.
/// </remarks>
internal sealed class Sealer(KeyRing ring)
{
    private const byte Format = 2;
    private const byte FormatWithSha256 = 1;
    private const int KeyIdAt = 1; // the statements that count rows by key read it there
    private const int SaltBytes = 16;
    private const int TagBytes = 16;
    private const int NonceBytes = 12;
    private const int HeaderBytes = KeyIdAt + sizeof(uint) + SaltBytes + TagBytes;

    /// <summary>Binds a shared secret to its account and to everything its codes depend on.</summary>
    public static byte[] SecretBinding(AccountKey key, Guid enrollmentId, Method method, TotpParameters totp) =>
        Binding("secret", key.Tenant, key.Account, enrollmentId.ToString("N"), method.ToString(),
            totp.Algorithm.ToString(), totp.Digits.ToString(), totp.PeriodSeconds.ToString());

    /// <summary>Binds an address to the account, whichever enrollment it came with: a later one keeps it.</summary>
    public static byte[] EmailBinding(AccountKey key) => Binding("email", key.Tenant, key.Account);

    /// <summary>Binds a phone number to the account.</summary>
    public static byte[] PhoneBinding(AccountKey key) => Binding("phone", key.Tenant, key.Account);

    /// <summary>Binds a message in the outbox to its row.</summary>
    public static byte[] MessageBinding(AccountKey key, Guid id) => Binding("message", key.Tenant, key.Account, id.ToString("N"));

    /// <summary>Binds a set of recovery codes to the account.</summary>
    public static byte[] RecoveryBinding(AccountKey key, Guid setId) => Binding("recovery", key.Tenant, key.Account, setId.ToString("N"));

    /// <summary>Binds a sent code to the enrollment it was sent for.</summary>
    public static byte[] SentCodeBinding(AccountKey key, Guid enrollmentId, Guid codeId) =>
        Binding("sent code", key.Tenant, key.Account, enrollmentId.ToString("N"), codeId.ToString("N"));

    /// <summary>Binds a password's hash to its person, and to its salt.</summary>
    public static byte[] PasswordBinding(string name, byte[] salt) => Binding("password", name, Convert.ToHexString(salt));

    /// <summary>What it was bound to before schema 7: the salt alone.</summary>
    public static byte[] UnnamedPasswordBinding(byte[] salt) => Binding("password", Convert.ToHexString(salt));

    public static byte[] StandingKeyBinding() => Binding("standing key");

    /// <summary>The ring key that a sealed value needs; readable without any key.</summary>
    public static uint KeyIdOf(SealedBytes sealedBytes) => sealedBytes.Bytes.Length >= HeaderBytes
        ? BinaryPrimitives.ReadUInt32BigEndian(sealedBytes.Bytes.AsSpan(KeyIdAt))
        : throw new CryptographicException("Not a sealed value.");

    public SealedBytes Seal(ReadOnlySpan<byte> plain, byte[] binding)
    {
        var keyId = ring.ActiveId;
        var bytes = new byte[HeaderBytes + plain.Length];
        bytes[0] = Format;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(KeyIdAt), keyId);
        var salt = bytes.AsSpan(KeyIdAt + sizeof(uint), SaltBytes);
        RandomNumberGenerator.Fill(salt);

        Span<byte> keyAndNonce = stackalloc byte[KeyRing.KeyBytes + NonceBytes];
        Derive(Format, keyId, salt, keyAndNonce);
        using var aes = new AesGcm(keyAndNonce[..KeyRing.KeyBytes], TagBytes); // its own: AesGcm is not thread-safe
        aes.Encrypt(keyAndNonce[KeyRing.KeyBytes..], plain, bytes.AsSpan(HeaderBytes),
            bytes.AsSpan(HeaderBytes - TagBytes, TagBytes), Associated(bytes, binding));
        CryptographicOperations.ZeroMemory(keyAndNonce);
        return new SealedBytes(bytes);
    }

    /// <exception cref="CryptographicException">
    /// Altered, moved from where it belongs, or sealed with a key that is not in the ring. The caller must fail, not refuse.
    /// </exception>
    public byte[] Open(SealedBytes sealedBytes, byte[] binding)
    {
        var bytes = sealedBytes.Bytes;
        if (bytes.Length < HeaderBytes || bytes[0] is not (Format or FormatWithSha256)) throw new CryptographicException("Not a sealed value.");

        Span<byte> keyAndNonce = stackalloc byte[KeyRing.KeyBytes + NonceBytes];
        Derive(bytes[0], KeyIdOf(sealedBytes), bytes.AsSpan(KeyIdAt + sizeof(uint), SaltBytes), keyAndNonce);
        using var aes = new AesGcm(keyAndNonce[..KeyRing.KeyBytes], TagBytes);
        var plain = new byte[bytes.Length - HeaderBytes];
        aes.Decrypt(keyAndNonce[KeyRing.KeyBytes..], bytes.AsSpan(HeaderBytes),
            bytes.AsSpan(HeaderBytes - TagBytes, TagBytes), plain, Associated(bytes, binding));
        CryptographicOperations.ZeroMemory(keyAndNonce);
        return plain;
    }

    /// <summary>Opens a shared secret right before its use. Dispose of it right after.</summary>
    public OpenSecret OpenSecret(SealedBytes sealedBytes, byte[] binding) => new(Open(sealedBytes, binding));

    /// <returns>The same value under the active key; the same instance when it is already.</returns>
    /// <exception cref="CryptographicException">As for <see cref="Open"/>.</exception>
    public SealedBytes Reseal(SealedBytes sealedBytes, byte[] binding)
    {
        if (KeyIdOf(sealedBytes) == ring.ActiveId) return sealedBytes;
        var plain = Open(sealedBytes, binding);
        var resealed = Seal(plain, binding);
        CryptographicOperations.ZeroMemory(plain);
        return resealed;
    }

    /// <summary>Refuses to work with a cipher that lets a flipped bit or another binding pass.</summary>
    public void SelfTest()
    {
        var binding = Binding("self-test");
        var value = Seal("self-test"u8, binding);
        if (!Open(value, binding).AsSpan().SequenceEqual("self-test"u8)) throw new CryptographicException("Self-test: not the same.");
        RefusesOrThrow(value, Binding("another"));
        value.Bytes[^1] ^= 1;
        RefusesOrThrow(value, binding);
    }

    private void Derive(byte format, uint keyId, ReadOnlySpan<byte> salt, Span<byte> keyAndNonce)
    {
        var key = ring.SubKey(keyId, KeyPurpose.Seal);
        if (format == FormatWithSha256)
        {
            HKDF.Expand(HashAlgorithmName.SHA256, key, keyAndNonce, salt);
            return;
        }

        Span<byte> block = stackalloc byte[HMACSHA512.HashSizeInBytes];
        ReadyHmac.Of(key).Hash(salt, block);
        block[..keyAndNonce.Length].CopyTo(keyAndNonce);
        CryptographicOperations.ZeroMemory(block);
    }

    /// <summary>The format and key id are as bound as the rest.</summary>
    private static byte[] Associated(byte[] bytes, byte[] binding) => [.. bytes.AsSpan(0, KeyIdAt + sizeof(uint)), .. binding];

    /// <summary>Each field with its length before it, so that no two lists of fields have the same bytes.</summary>
    private static byte[] Binding(params ReadOnlySpan<string> fields)
    {
        var length = 0;
        foreach (var field in fields) length += sizeof(int) + Encoding.UTF8.GetByteCount(field);

        var bytes = new byte[length];
        var rest = bytes.AsSpan();
        foreach (var field in fields)
        {
            var written = Encoding.UTF8.GetBytes(field, rest[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(rest, written);
            rest = rest[(sizeof(int) + written)..];
        }

        return bytes;
    }

    private void RefusesOrThrow(SealedBytes value, byte[] binding)
    {
        try
        {
            Open(value, binding);
        }
        catch (AuthenticationTagMismatchException)
        {
            return;
        }

        throw new CryptographicException("Self-test: an altered value opened.");
    }
}
