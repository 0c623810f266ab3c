using Mfa.Server.Domain;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;
using Microsoft.Extensions.Time.Testing;

namespace Mfa.Server.Tests.Store;

/// <summary>What the courier relies on, on a real file.</summary>
public sealed class OutboxTests : IDisposable
{
    private static readonly AccountKey Alice = new("default", "alice");
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);
    private readonly TempFolder _folder = new();
    private readonly SqliteStore _store;

    public OutboxTests()
    {
        var database = new Database(_folder.File("mfa.db"));
        var ring = Rings.New();
        database.Create(ring);
        _store = new SqliteStore(database, ring, new FakeTimeProvider(Now));
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_message_is_taken_on_by_one_and_again_only_when_the_lease_is_over()
    {
        var id = await AddAsync(Channel.Email);

        Assert.Equal(id, Assert.Single(await ClaimAsync(Now)).Id);
        Assert.Empty(await ClaimAsync(Now + Lease - TimeSpan.FromMilliseconds(1)));
        Assert.Equal(2, Assert.Single(await ClaimAsync(Now + Lease)).Attempts);
    }

    [Fact]
    public async Task A_restart_gives_back_what_was_being_sent()
    {
        await AddAsync(Channel.Email);
        await ClaimAsync(Now);

        await _store.WriteAsync(session => OutboxRows.ReleaseClaims(session, Now));

        Assert.Single(await ClaimAsync(Now));
    }

    [Fact]
    public async Task A_lane_takes_on_its_own_channel_alone()
    {
        await AddAsync(Channel.Email);
        var sms = await AddAsync(Channel.Sms);

        Assert.Equal(sms, Assert.Single(await ClaimAsync(Now, Channel.Sms)).Id);
    }

    [Fact]
    public async Task What_was_sent_or_withdrawn_is_not_taken_on_again_and_holds_no_text()
    {
        await AddAsync(Channel.Email);
        var sent = Assert.Single(await ClaimAsync(Now));
        await _store.WriteAsync(session => OutboxRows.Finish(session, sent, DeliveryState.Sent, Now));
        var withdrawn = await AddAsync(Channel.Email);
        await _store.WriteAsync(session => OutboxRows.Withdraw(session, Alice, withdrawn, Now));

        Assert.Empty(await ClaimAsync(Now.AddDays(1)));
        Assert.Equal(DeliveryState.Sent, (await _store.FindDeliveryAsync(Alice, sent.Id))!.State);
        Assert.Equal(DeliveryState.Failed, (await _store.FindDeliveryAsync(Alice, withdrawn))!.State);
        Assert.Equal(2L, _store.Read(session => session.Command("SELECT count(*) FROM outbox WHERE content IS NULL").ExecuteScalar()));
    }

    [Fact]
    public async Task What_is_over_is_forgotten_after_a_day_and_what_waits_is_not()
    {
        await AddAsync(Channel.Email);
        var sent = Assert.Single(await ClaimAsync(Now));
        await _store.WriteAsync(session => OutboxRows.Finish(session, sent, DeliveryState.Sent, Now));
        var waiting = await AddAsync(Channel.Email);

        await _store.WriteAsync(session => OutboxRows.RemoveOld(session, Now.AddDays(1).AddMilliseconds(-1)));
        Assert.NotNull(await _store.FindDeliveryAsync(Alice, sent.Id));
        await _store.WriteAsync(session => OutboxRows.RemoveOld(session, Now.AddDays(1)));
        Assert.Null(await _store.FindDeliveryAsync(Alice, sent.Id));
        Assert.NotNull(await _store.FindDeliveryAsync(Alice, waiting));
    }

    private async Task<Guid> AddAsync(Channel channel)
    {
        var message = new OutboxMessage(Alice, Guid.NewGuid(), channel, new SealedBytes([1, 2, 3]), Now, Now.AddMinutes(5));
        await _store.WriteAsync(session =>
        {
            OutboxRows.Add(session, message);
            return true;
        });
        return message.Id;
    }

    private Task<List<DueMessage>> ClaimAsync(DateTimeOffset now, Channel channel = Channel.Email) =>
        _store.WriteAsync(session => OutboxRows.Claim(session, channel, most: 16, now, Lease));
}
