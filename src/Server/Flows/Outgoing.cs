using System.Globalization;
using System.Text;
using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Flows;

/// <summary>Something an account's owner is told about.</summary>
internal enum Notice
{
    Enabled,
    Replaced,
    Disabled,
    RecoveryUsed,
    RecoveryLow,
    Locked,
}

/// <summary>Writes the messages that decisions send: whom to, what, and under which limits.</summary>
internal sealed class Outgoing(
    Sealer sealer, Destinations destinations, StandingKey standingKey, MessageTemplates templates, DeliveryOptions delivery, EnrollmentOptions enrollment)
{
    /// <summary>Notices are worth sending for a day: a mail server may be down for hours.</summary>
    private static readonly TimeSpan NoticeLifetime = TimeSpan.FromDays(1);

    /// <summary>From here on the owner is asked to make a new set of recovery codes.</summary>
    private const int FewRecoveryCodes = 2;

    public OutboxMessage Code(AccountKey key, Enrollment subject, OtpCode code, SentCode stored, DateTimeOffset now)
    {
        var bySms = subject.Method == Method.Sms;
        var values = Values(key);
        values["code"] = code.Reveal();
        values["minutes"] = Minutes(delivery.CodeLifetime);
        values["domain"] = delivery.Domain;
        var text = templates.Fill(bySms ? MessageTemplates.Sms : "code", subject.Locale, values);
        var (channel, to) = bySms ? (Channel.Sms, NumberOf(key, subject)) : (Channel.Email, AddressOf(key, subject));
        return Message(key, stored.Id, channel, to, text, now, stored.ExpireTime);
    }

    /// <summary>People get a link to our page; the accounts of a service one to the service's, if it has named it.</summary>
    public OutboxMessage DisableToken(AccountKey key, Enrollment subject, string token, Principal caller, DateTimeOffset now)
    {
        var page = caller.Kind == CallerKind.Person ? delivery.DisablePage : caller.DisablePage ?? "";
        var values = Values(key);
        values["token"] = token;
        values["link"] = $"{page}#{token}";
        values["minutes"] = Minutes(delivery.TokenLifetime);
        var text = templates.Fill(page.Length > 0 ? "disable" : "disable-token", subject.Locale, values);
        return Message(key, Guid.NewGuid(), Channel.Email, AddressOf(key, subject), text, now, now + delivery.TokenLifetime);
    }

    /// <returns>No message when there is no address, or when the operator does not want this kind.</returns>
    public IReadOnlyList<OutboxMessage> Notices(
        Notice notice, AccountKey key, Enrollment subject, DateTimeOffset now, DateTimeOffset? until = null)
    {
        if (notice == Notice.RecoveryUsed && subject.Recovery.Remaining <= FewRecoveryCodes) notice = Notice.RecoveryLow;
        var name = NameOf(notice);
        if (subject.Email is null || delivery.MutedNotices.Contains(name)) return [];
        var values = Values(key);
        values["remaining"] = subject.Recovery.Remaining.ToString(CultureInfo.InvariantCulture);
        values["time"] = until is { } t ? $"{t.UtcDateTime:yyyy-MM-dd HH:mm} UTC" : "";
        var text = templates.Fill(name, subject.Locale, values);
        return [Message(key, Guid.NewGuid(), Channel.Email, AddressOf(key, subject), text, now, now + NoticeLifetime)];
    }

    /// <summary>The limits of a message that somebody asked for. Subjects are keyed hashes: no address stands in the table.</summary>
    public IReadOnlyList<SendLimit> Limits(AccountKey key, Enrollment subject, Channel channel, Principal caller)
    {
        var (hour, day) = (TimeSpan.FromHours(1), TimeSpan.FromDays(1));
        var account = Subject("account", $"{key.Tenant}\0{key.Account}");
        var to = channel == Channel.Sms ? NumberOf(key, subject) : AddressOf(key, subject).ToLowerInvariant();
        return
        [
            new SendLimit("server_day", [], day, delivery.Enabled ? delivery.PerDay : 0, TimeSpan.Zero),
            new SendLimit("account_interval", account, hour, int.MaxValue, delivery.AccountGap),
            new SendLimit("account_hour", account, hour, delivery.PerAccountHour, TimeSpan.Zero),
            new SendLimit("destination_day", Subject("destination", to), day, delivery.PerDestinationDay, TimeSpan.Zero),
            new SendLimit("caller_day", Subject("caller", $"{caller.Tenant}\0{caller.Id}"), day, delivery.PerCallerDay, TimeSpan.Zero),
        ];
    }

    public static string NameOf(Notice notice) => notice switch
    {
        Notice.Enabled => "enabled",
        Notice.Replaced => "replaced",
        Notice.Disabled => "disabled",
        Notice.RecoveryUsed => "recovery-used",
        Notice.RecoveryLow => "recovery-low",
        Notice.Locked => "locked",
    };

    private OutboxMessage Message(
        AccountKey key, Guid id, Channel channel, string to, MessageText text, DateTimeOffset now, DateTimeOffset expireTime)
    {
        var content = new MessageContent(to, text.Subject, text.Text, text.Html).Encode();
        return new OutboxMessage(key, id, channel, sealer.Seal(content, Sealer.MessageBinding(key, id)), now, expireTime);
    }

    private Dictionary<string, string> Values(AccountKey key) => new() { ["service"] = enrollment.Issuer, ["account"] = key.Account };

    private string AddressOf(AccountKey key, Enrollment subject) =>
        destinations.Email(key, subject)?.Reveal() ?? throw new InvalidOperationException("A message without an address."); // unreachable

    private string NumberOf(AccountKey key, Enrollment subject) =>
        destinations.Phone(key, subject)?.Reveal() ?? throw new InvalidOperationException("A message without a number."); // unreachable

    private byte[] Subject(string kind, string value) =>
        standingKey.Hash(StandingPurpose.SendCounts, Encoding.UTF8.GetBytes($"{kind}\0{value}"))[..16];

    private static string Minutes(TimeSpan time) => ((int)Math.Ceiling(time.TotalMinutes)).ToString(CultureInfo.InvariantCulture);
}
