using System.Security.Cryptography;
using System.Text;
using Mfa.Server.Domain;

namespace Mfa.Server.Protection;

/// <summary>
/// Keyed hashes of sent codes. Six digits can be tried through in no time, so a hash is worth nothing without the key, and
/// guessing through the service is what the budgets are for.
/// </summary>
internal sealed class SentCodeHashes(KeyRing ring)
{
    private readonly CarriedHashes _stored = new(ring, KeyPurpose.SentCodes, HMACSHA256.HashSizeInBytes);

    public SentCode New(AccountKey account, Guid enrollmentId, OtpCode code, DateTimeOffset expireTime)
    {
        var id = Guid.NewGuid();
        var keyId = ring.ActiveId;
        var hash = Hash(ring.SubKey(keyId, KeyPurpose.SentCodes), account, enrollmentId, id, code);
        return new SentCode(id, keyId, hash, expireTime, Tries: 0);
    }

    public SentEvidence Compare(AccountKey account, Enrollment enrollment, SubmittedCode code)
    {
        var open = enrollment.OpenCode;
        return new SentEvidence(enrollment.Id, open?.Id, open is not null && code is OtpCode otp && Matches(account, enrollment.Id, open, otp));
    }

    /// <returns>The code's hash under the active key; the same instance when it is already.</returns>
    public SentCode CarryOver(AccountKey account, Guid enrollmentId, SentCode open)
    {
        if (open.KeyId == ring.ActiveId) return open;
        var (keyId, hash) = _stored.CarryOver(open.KeyId, open.Hash, Sealer.SentCodeBinding(account, enrollmentId, open.Id));
        return open with { KeyId = keyId, Hash = hash };
    }

    private bool Matches(AccountKey account, Guid enrollmentId, SentCode open, OtpCode code)
    {
        var (key, hash) = _stored.Open(open.KeyId, open.Hash, Sealer.SentCodeBinding(account, enrollmentId, open.Id));
        return CryptographicOperations.FixedTimeEquals(Hash(key, account, enrollmentId, open.Id, code), hash);
    }

    private static byte[] Hash(byte[] key, AccountKey account, Guid enrollmentId, Guid codeId, OtpCode code)
    {
        // Fixed-length fields first and a NUL between the names, which cannot hold one: no two inputs look alike.
        var names = Encoding.UTF8.GetBytes($"\0{account.Tenant}\0{account.Account}");
        byte[] input = [.. enrollmentId.ToByteArray(), .. codeId.ToByteArray(), .. code.Bytes, .. names];
        return HMACSHA256.HashData(key, input);
    }
}
