using System.Net;
using Mfa.Server.Callers.Quotas;

namespace Mfa.Server.Tests.Callers.Quotas;

public sealed class PeerNetworkTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)] // the same through a socket of both families
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::1", "0.0.0.0", false)]
    public void An_address_counts_with_those_that_its_holder_can_take(string one, string other, bool together) =>
        Assert.Equal(together, PeerNetwork.Of(IPAddress.Parse(one)) == PeerNetwork.Of(IPAddress.Parse(other)));

    [Theory]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    public void It_prints_as_an_operator_would_write_it(string address, string text) =>
        Assert.Equal(text, PeerNetwork.Of(IPAddress.Parse(address)).ToString());
}
