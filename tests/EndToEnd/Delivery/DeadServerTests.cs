using Mfa.EndToEnd.Postgres;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>Two servers on one PostgreSQL, and a mail server that one of them was talking to when it died.</summary>
public sealed class DeadServerTests(PostgresCluster cluster)
{
    /// <summary>What a server took on is its own for two minutes.</summary>
    private static readonly TimeSpan Claim = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task What_a_dead_server_was_sending_is_sent_by_another_one_once_its_claim_is_over_and_not_before() // DL12
    {
        await using var mail = await MailPeer.StartAsync("hang");
        await using var dying = await mail.StartServerAsync($"store:connection={await cluster.NewDatabaseAsync()}");
        using var time = new FakedTime();
        var owner = await Recipient.EnableByMailAsync(dying);
        await mail.Program.EventsAsync("connected", 1);
        dying.Suspend(); // in the middle of its conversation, which stays open
        await mail.SetFaultAsync("none");
        await using var other = await ServerProcess.StartBesideInProductionAsync(dying, time.Environment);

        await AssertOnlySendsItsOwnAsync(mail, other, conversations: 2);
        Assert.Equal(1, mail.Count("connected") - mail.Count("closed"));
        await dying.KillAsync();
        await AssertOnlySendsItsOwnAsync(mail, other, conversations: 3);
        time.Set(Claim + TimeSpan.FromSeconds(1));

        var mails = await mail.MailsAsync(owner.To);
        await owner.At(other).DeliveryAsync(d => d is { State: DeliveryState.Sent, Attempts: 2 });
        Assert.Equal(Verdict.Accepted, (await owner.At(other).FinishAsync(Assert.Single(mails).Code)).Verdict);
        Assert.Equal((4, 3), (mail.Count("connected"), mail.Count("mail")));
    }

    /// <summary>It has looked into the outbox when its own message is out, and it has left the one that is not its own.</summary>
    private static async Task AssertOnlySendsItsOwnAsync(MailPeer mail, ServerProcess server, int conversations)
    {
        var own = await Recipient.EnableByMailAsync(server);
        await own.DeliveryAsync(d => d.State == DeliveryState.Sent);
        Assert.Equal(conversations, mail.Count("connected"));
    }
}
