using System.Security.Cryptography;
using System.Text.Json;
using Mfa.Server.Domain;
using Mfa.Server.Observability;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Delivery;

/// <summary>
/// Carries messages out of the outbox, at least once each: what was saved is sent after any crash, and what expires first is
/// given up. Nothing a caller waits for happens here. Each channel has its own lane: a mail server that hangs holds up no SMS.
/// </summary>
internal sealed class Courier(IStore store, Sealer sealer, IEnumerable<ISender> senders, Meters meters, TimeProvider clock, ILogger<Courier> log)
    : BackgroundService
{
    /// <summary>Messages of one channel that are being sent at the same time.</summary>
    private const int AtOnce = 16;

    /// <summary>Longer than any sender's own time limit: a message is not taken on twice while it is being sent.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Dictionary<Channel, SemaphoreSlim> _queued = new() { [Channel.Email] = new(0), [Channel.Sms] = new(0) };

    public override void Dispose()
    {
        foreach (var signal in _queued.Values) signal.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        meters.Begin(senders.Select(sender => (sender.Channel, sender.Name)));
        store.Queued = Wake;
        await ReleaseClaimsAsync();
        await Task.WhenAll(_queued.Keys.Select(channel => RunAsync(channel, stoppingToken)));
    }

    private async Task RunAsync(Channel channel, CancellationToken stoppingToken)
    {
        var underway = new List<Task>(AtOnce);
        while (!stoppingToken.IsCancellationRequested)
        {
            // One that hangs keeps its own place and nobody else's.
            underway.RemoveAll(send => send.IsCompleted);
            var due = underway.Count < AtOnce ? await TakeOnAsync(channel, AtOnce - underway.Count) : [];
            underway.AddRange(due.Select(message => CarryAsync(message, stoppingToken)));
            if (underway.Count >= AtOnce) await Task.WhenAny(underway);
            else if (due.Count == 0) await _queued[channel].WaitAsync(LookAgain, stoppingToken);
        }

        await Task.WhenAll(underway);
    }

    private async Task<List<DueMessage>> TakeOnAsync(Channel channel, int most)
    {
        try
        {
            return await store.WriteAsync(session => OutboxRows.Claim(session, channel, most, clock.GetUtcNow(), Lease));
        }
        catch (StoreUnavailableException why)
        {
            log.CourierFailed(why);
            return [];
        }
    }

    /// <summary>What the one server of a folder was sending when it stopped is nobody's now. Where several send, leases run out.</summary>
    private async Task ReleaseClaimsAsync()
    {
        if (store.IsShared) return;
        try
        {
            await store.WriteAsync(session => OutboxRows.ReleaseClaims(session, clock.GetUtcNow()));
        }
        catch (StoreUnavailableException why)
        {
            log.CourierFailed(why); // their leases run out instead
        }
    }

    /// <summary>Tries once, and throws nothing: a message that cannot be sent must not end the server that others send through.</summary>
    private async Task CarryAsync(DueMessage message, CancellationToken ct)
    {
        try
        {
            await TryAsync(message, ct);
        }
        catch (StoreUnavailableException why)
        {
            log.CourierFailed(why); // its lease runs out
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The next start gives its claim back.
        }
    }

    private async Task TryAsync(DueMessage message, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (now >= message.ExpireTime || !await SendAsync(message, ct))
        {
            var next = now + PauseAfter(message.Attempts);
            if (next < message.ExpireTime)
            {
                await PostponeAsync(message, next);
                return;
            }

            log.MessageGivenUp(message.Id, message.Channel, message.Attempts);
            meters.GivenUp(message.Channel);
            await FinishAsync(message, DeliveryState.Failed, AuditOutcome.GivenUp);
            return;
        }

        await FinishAsync(message, DeliveryState.Sent, AuditOutcome.Delivered);
    }

    /// <summary>The first failure is told: an outage of a day would otherwise be a thousand rows a message.</summary>
    private Task<int> PostponeAsync(DueMessage message, DateTimeOffset next) => store.WriteAsync(session =>
    {
        if (message.Attempts == 1) session.Audit(RowOf(message, AuditOutcome.Failed));
        return OutboxRows.Postpone(session, message, next);
    });

    private Task<int> FinishAsync(DueMessage message, DeliveryState state, AuditOutcome outcome) => store.WriteAsync(session =>
    {
        session.Audit(RowOf(message, outcome));
        return OutboxRows.Finish(session, message, state, clock.GetUtcNow());
    });

    private AuditEntry RowOf(DueMessage message, AuditOutcome outcome) =>
        AuditEntry.OfMessage(clock.GetUtcNow(), AuditCaller.Server, message.Account, message.Id, message.Channel, outcome);

    /// <summary>Tries the channel's senders in their order.</summary>
    private async Task<bool> SendAsync(DueMessage message, CancellationToken ct)
    {
        MessageContent content;
        try
        {
            content = MessageContent.Decode(sealer.Open(message.Content, Sealer.MessageBinding(message.Account, message.Id)));
        }
        catch (Exception why) when (why is CryptographicException or JsonException)
        {
            log.MessageUnreadable(why, message.Id);
            return false;
        }

        foreach (var sender in senders.Where(s => s.Channel == message.Channel))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(Earlier(SendTimeout, message.ExpireTime - clock.GetUtcNow())); // nothing lands after its code is dead
            try
            {
                await sender.SendAsync(message.Id, content, limit.Token);
                meters.Sent(sender.Channel, sender.Name, taken: true);
                return true;
            }
            catch (Exception why) when (!ct.IsCancellationRequested) // also what a sender's library was not known to throw
            {
                meters.Sent(sender.Channel, sender.Name, taken: false);
                log.SendFailed(sender.Name, message.Id, message.Attempts, why is SendFailedException ? why.Message : why.GetType().Name);
            }
        }

        return false;
    }

    /// <summary>1, 2, 4, … seconds, up to a minute.</summary>
    private static TimeSpan PauseAfter(int attempts) => Earlier(LongestPause, TimeSpan.FromSeconds(1 << Math.Min(attempts - 1, 6)));

    private static TimeSpan Earlier(TimeSpan one, TimeSpan other) =>
        other < TimeSpan.Zero ? TimeSpan.Zero : one < other ? one : other;

    private void Wake()
    {
        foreach (var signal in _queued.Values)
        {
            if (signal.CurrentCount == 0) signal.Release();
        }
    }
}
