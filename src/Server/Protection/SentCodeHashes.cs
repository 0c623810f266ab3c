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
    public SentCode New(AccountKey account, Guid enrollmentId, OtpCode code, DateTimeOffset expireTime)
    {
        var id = Guid.NewGuid();
        return new SentCode(id, ring.ActiveId, Hash(ring.ActiveId, account, enrollmentId, id, code), expireTime, Tries: 0);
    }

    public SentEvidence Compare(AccountKey account, Enrollment enrollment, SubmittedCode code)
    {
        var open = enrollment.OpenCode;
        var matches = open is not null && code is OtpCode otp
            && CryptographicOperations.FixedTimeEquals(Hash(open.KeyId, account, enrollment.Id, open.Id, otp), open.Hash);
        return new SentEvidence(enrollment.Id, open?.Id, matches);
    }

    private byte[] Hash(uint keyId, AccountKey account, Guid enrollmentId, Guid codeId, OtpCode code)
    {
        // Fixed-length fields first and a NUL between the names, which cannot hold one: no two inputs look alike.
        var names = Encoding.UTF8.GetBytes($"\0{account.Tenant}\0{account.Account}");
        byte[] input = [.. enrollmentId.ToByteArray(), .. codeId.ToByteArray(), .. code.Bytes, .. names];
        return HMACSHA256.HashData(ring.SubKey(keyId, KeyPurpose.SentCodes), input);
    }
}
