using Grpc.Core;
using Grpc.Net.Client;
using Mfa.EndToEnd.Calls;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>docs/clients/retry.json: what clients are told to use makes lost answers harmless (RR11, CL6).</summary>
public sealed class RetryConfigTests(ServerWithoutGap server) : IClassFixture<ServerWithoutGap>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public void It_repeats_exactly_the_methods_that_take_a_request_id_and_only_when_the_server_was_not_reached()
    {
        var repeated = ShippedRetries.File.GetProperty("methodConfig").EnumerateArray().SelectMany(config => config.GetProperty("name").EnumerateArray())
            .Select(name => (Service: name.GetProperty("service").GetString(), Method: name.GetProperty("method").GetString()));
        var repeatable = MfaService.Descriptor.Methods.Where(method => method.InputType.FindFieldByName("request_id") is not null)
            .Select(method => (Service: (string?)MfaService.Descriptor.FullName, Method: (string?)method.Name));

        Assert.Equal(repeatable.Order(), repeated.Order());
        Assert.All(
            ShippedRetries.File.GetProperty("methodConfig").EnumerateArray(),
            config => Assert.Equal("UNAVAILABLE", Assert.Single(config.GetProperty("retryPolicy").GetProperty("retryableStatusCodes").EnumerateArray()).GetString()));
    }

    [Fact]
    public async Task A_client_that_uses_it_hears_what_happened_although_answers_got_lost_and_nothing_happens_twice()
    {
        using var relay = new LossyRelay(server.Process.Grpc);
        using var channel = GrpcChannel.ForAddress(relay.Address, new GrpcChannelOptions { ServiceConfig = ShippedRetries.Config() });
        var client = new MfaService.MfaServiceClient(channel);
        var key = new Metadata { { "authorization", $"Bearer {server.Process.DevKey}" } };
        var owner = await Owner.EnrolAsync(Caller);
        await client.GetStatusAsync(new GetStatusRequest { Account = owner.Account }, key); // connected

        foreach (var (code, wrong) in new[] { (owner.RecoveryCodes[0], false), (await owner.App.WrongCodeAsync(), true), (owner.NextCode, false) })
        {
            relay.Lose(3);
            var request = new VerifyRequest { Account = owner.Account, Code = code, RequestId = Guid.NewGuid().ToString() };
            var reply = await client.VerifyAsync(request, key);
            Assert.Equal(wrong ? Verdict.Rejected : Verdict.Accepted, reply.Verdict);
            Assert.Equal((wrong ? 4 : 5, 7), (reply.AttemptsRemaining, reply.RecoveryCodesRemaining)); // once
        }

        Assert.Equal(9, relay.Lost);
        Assert.Equal(Verdict.Rejected, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
    }

    [Fact]
    public async Task A_method_that_is_not_in_it_is_sent_once()
    {
        using var relay = new LossyRelay(server.Process.Grpc);
        using var channel = GrpcChannel.ForAddress(relay.Address, new GrpcChannelOptions { ServiceConfig = ShippedRetries.Config() });
        var client = new MfaService.MfaServiceClient(channel);
        var key = new Metadata { { "authorization", $"Bearer {server.Process.DevKey}" } };
        var owner = await Owner.EnrolAsync(Caller);
        await client.GetStatusAsync(new GetStatusRequest { Account = owner.Account }, key);

        relay.Lose(1);
        var request = new RegenerateRecoveryCodesRequest { Account = owner.Account, Code = owner.NextCode };
        await Assert.ThrowsAsync<RpcException>(async () => await client.RegenerateRecoveryCodesAsync(request, key));

        Assert.Equal(1, relay.Lost);
    }
}
