using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Flows;

/// <summary>A code to be sent: what is stored of it, the message that carries it, and the limits that must let it pass.</summary>
internal sealed record IssuedCode(SentCode Stored, OutboxMessage Message, IReadOnlyList<SendLimit> Limits);

/// <summary>Makes codes for enrollments whose codes are sent. The digits are in the message alone.</summary>
internal sealed class CodeIssuer(SentCodeHashes hashes, Outgoing outgoing, DeliveryOptions options)
{
    public IssuedCode Issue(AccountKey key, Enrollment enrollment, Principal caller, DateTimeOffset now)
    {
        var code = OtpCode.NewToSend();
        var stored = hashes.New(key, enrollment.Id, code, now + options.CodeLifetime);
        var message = outgoing.Code(key, enrollment, code, stored, now);
        return new IssuedCode(stored, message, outgoing.Limits(key, enrollment, message.Channel, caller));
    }
}
