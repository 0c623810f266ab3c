using System.Data.Common;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>Messages that wait to be sent: a notice may wait for a day.</summary>
internal sealed class OutboxResealing(IStore store, KeyRing ring) : IResealing
{
    private readonly Sealer _sealer = new(ring);
    private Waiting _last = new(new AccountKey("", ""), [], new SealedBytes([]));

    public long Left() => store.Read(session =>
    {
        var command = session.Command("SELECT count(*) FROM outbox WHERE substr(content, 2, 4) <> @header");
        command.BindActive(ring);
        return (long)command.ExecuteScalar()!;
    });

    public IReadOnlyList<ResealedRow> Next(int most)
    {
        var page = store.Read(session =>
        {
            var command = session.Command("""
                SELECT tenant, account, id, content FROM outbox
                WHERE (tenant, account, id) > (@tenant, @account, @message) AND substr(content, 2, 4) <> @header
                ORDER BY tenant, account, id LIMIT @most
                """);
            command.BindActive(ring);
            BindKey(command, _last);
            command.Bind("@most", most);
            using var row = command.ExecuteReader();
            var messages = new List<Waiting>();
            while (row.Read())
            {
                messages.Add(new Waiting(new AccountKey(row.GetString(0), row.GetString(1)), row.GetFieldValue<byte[]>(2),
                    new SealedBytes(row.GetFieldValue<byte[]>(3))));
            }

            return messages;
        });
        if (page.Count > 0) _last = page[^1];
        return [.. page.Select(message => ResealedRow.Of($"a message of {message.Account.Tenant}/{message.Account.Account}", () => Reseal(message)))];
    }

    private Func<Session, bool> Reseal(Waiting old)
    {
        var content = _sealer.Reseal(old.Content, Sealer.MessageBinding(old.Account, new Guid(old.Id)));
        return session =>
        {
            var command = session.Command("""
                UPDATE outbox SET content = @new WHERE tenant = @tenant AND account = @account AND id = @message AND content = @old
                """);
            BindKey(command, old);
            command.Bind("@new", content.Bytes);
            command.Bind("@old", old.Content.Bytes);
            return command.ExecuteNonQuery() == 1;
        };
    }

    private static void BindKey(DbCommand command, Waiting message)
    {
        command.Bind("@tenant", message.Account.Tenant);
        command.Bind("@account", message.Account.Account);
        command.Bind("@message", message.Id);
    }

    private sealed record Waiting(AccountKey Account, byte[] Id, SealedBytes Content);
}
