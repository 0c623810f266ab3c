using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>What a server has in memory of an account was changed by another one.</summary>
public sealed class ChangedElsewhereTests(PostgresCluster cluster)
{
    [Fact]
    public async Task An_authenticator_that_another_server_put_in_with_codes_of_another_length_counts_at_once()
    {
        var store = $"store:connection={await cluster.NewDatabaseAsync()}";
        await using var server = await ServerProcess.StartAsync(store);
        await using var other = await ServerProcess.StartBesideAsync(server, store, "enrollment:digits=8");
        var owner = await Owner.EnrolAsync(server.Dev);
        await server.Dev.VerifyAsync(owner.Account, owner.NextCode); // is in memory from here on
        var started = await other.Dev.EnableAsync(owner.Account, owner.RecoveryCodes[0]);
        var codes = await new Authenticator(started.Secret).CodesAsync(Authenticator.Step, 2, digits: 8);
        Assert.Equal(Verdict.Accepted, (await other.Dev.VerifyAsync(owner.Account, codes[0], started.EnrollmentId)).Verdict);

        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, codes[1])).Verdict);
    }
}
