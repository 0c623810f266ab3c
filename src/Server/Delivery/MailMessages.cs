using MimeKit;

namespace Mfa.Server.Delivery;

/// <summary>Makes the mail of a message: one recipient, a text and an HTML part of the same words.</summary>
internal static class MailMessages
{
    public static MimeMessage Build(MessageContent message, string fromName, string fromAddress, Guid id)
    {
        var mail = new MimeMessage
        {
            Subject = message.Subject,
            MessageId = $"{id:N}@{fromAddress[(fromAddress.IndexOf('@') + 1)..]}", // the same when sent again
            Body = new BodyBuilder { TextBody = message.Text, HtmlBody = message.Html }.ToMessageBody(),
        };
        mail.From.Add(new MailboxAddress(fromName, fromAddress));
        mail.To.Add(new MailboxAddress(name: null, message.To));
        mail.Headers.Add("Auto-Submitted", "auto-generated"); // RFC 3834 §5: no out-of-office answers
        return mail;
    }
}
