using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Postgres;

/// <summary>What a verification costs between a server and its database.</summary>
public sealed class RoundTripTests(PostgresCluster cluster)
{
    /// <summary>The server also asks for other things now and then, which can only add: the least of several calls is a call's own.</summary>
    private const int Calls = 8;

    [Theory]
    [InlineData(false, 64, 1)]
    [InlineData(false, 0, 2)]
    [InlineData(true, 64, 2)] // its answer has to be looked for
    [InlineData(true, 0, 2)]
    public async Task A_verification_takes_two_round_trips_at_most_also_with_a_request_id(bool withId, int cacheMiB, int trips)
    {
        var address = await cluster.NewDatabaseAsync();
        using var relay = new CountingRelay(cluster.Port);
        var relayed = address.Replace($"Port={cluster.Port}", $"Port={relay.Port}", StringComparison.Ordinal);
        await using var server = await ServerProcess.StartAsync($"store:connection={relayed}", $"store:cacheMiB={cacheMiB}");
        var owner = await Owner.EnrolAsync(server.Dev);
        var (accepted, repeated) = (new List<int>(), new List<int>());
        foreach (var code in owner.RecoveryCodes.Take(Calls))
        {
            var request = new VerifyRequest { Account = owner.Account, Code = code, RequestId = withId ? Guid.NewGuid().ToString() : "" };

            accepted.Add(await TripsAsync(relay, server, request, Verdict.Accepted));
            if (withId) repeated.Add(await TripsAsync(relay, server, request, Verdict.Accepted));
        }

        Assert.Equal(trips, accepted.Min());
        if (withId) Assert.Equal(1, repeated.Min()); // its answer is found with the account
    }

    private static async Task<int> TripsAsync(CountingRelay relay, ServerProcess server, VerifyRequest request, Verdict verdict)
    {
        var before = relay.Trips;
        Assert.Equal(verdict, (await server.Dev.VerifyAsync(request)).Verdict);
        return relay.Trips - before;
    }
}
