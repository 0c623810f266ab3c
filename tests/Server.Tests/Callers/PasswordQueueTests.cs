using System.Net;
using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;

namespace Mfa.Server.Tests.Callers;

public sealed class PasswordQueueTests
{
    private readonly PasswordQueue _queue = new(new PasswordOptions { Parallel = 1, Queue = 9, PerPeer = 5, PerName = 2 });

    [Fact]
    public void One_address_leaves_room_for_others_whatever_names_it_tries()
    {
        Assert.Equal(5, Enumerable.Range(0, 100).Count(i => _queue.TryEnter($"name-{i}", Peer(1))));

        Assert.True(_queue.TryEnter("jane", Peer(2)));
    }

    [Fact]
    public void One_name_leaves_room_for_others_wherever_it_is_tried_from()
    {
        Assert.Equal(2, Enumerable.Range(0, 100).Count(i => _queue.TryEnter("jane", Peer(i))));

        Assert.True(_queue.TryEnter("bob", Peer(1)));
    }

    [Fact]
    public void All_together_get_no_more_than_there_are_places()
    {
        Assert.Equal(10, Enumerable.Range(0, 100).Count(i => _queue.TryEnter($"name-{i}", Peer(i))));

        _queue.Leave("name-3", Peer(3));

        Assert.True(_queue.TryEnter("jane", Peer(200)));
        Assert.False(_queue.TryEnter("bob", Peer(201)));
    }

    [Fact]
    public void A_place_that_is_given_back_can_be_had_again_and_a_refused_one_costs_nothing()
    {
        for (var round = 0; round < 100; round++)
        {
            Assert.True(_queue.TryEnter("jane", Peer(1)));
            Assert.True(_queue.TryEnter("jane", Peer(1)));
            Assert.False(_queue.TryEnter("jane", Peer(1)));
            _queue.Leave("jane", Peer(1));
            _queue.Leave("jane", Peer(1));
        }

        Assert.Equal(5, Enumerable.Range(0, 100).Count(i => _queue.TryEnter($"name-{i}", Peer(1))));
    }

    private static PeerNetwork Peer(int number) => PeerNetwork.Of(new IPAddress([192, 0, 2, (byte)number]));
}
