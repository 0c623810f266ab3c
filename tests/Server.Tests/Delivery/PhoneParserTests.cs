using Mfa.Server.Delivery;
using Mfa.Server.Domain;

namespace Mfa.Server.Tests.Delivery;

public sealed class PhoneParserTests
{
    private readonly PhoneParser _phones = new(new DeliveryOptions { Region = "CA", Regions = ["CA", "FR"] });

    [Theory]
    [InlineData("+14165550166")]
    [InlineData("4165550166")]
    [InlineData("1-416-555-0166")]
    [InlineData("(416) 555-0166")]
    [InlineData("416.555.0166")]
    [InlineData("+1 (416) 555 0166")]
    public void All_spellings_of_a_number_are_one_number(string text) => Assert.Equal("+14165550166", _phones.Parse(text)!.Reveal());

    [Theory]
    [InlineData("+14165550166", true)]
    [InlineData("+33612345678", true)]
    [InlineData("+12125550123", false)]
    [InlineData("+447400123456", false)]
    public void Only_the_regions_on_the_list_are_paid_for(string text, bool allowed) => Assert.Equal(allowed, _phones.Allows(_phones.Parse(text)!));

    [Fact]
    public void What_is_stored_comes_back_and_shows_little()
    {
        var phone = PhoneNumber.FromStored(_phones.Parse("+33 6 12 34 56 78")!.Stored);

        Assert.Equal(("+33612345678", "+33 *** *** **78", "PhoneNumber"), (phone.Reveal(), phone.Masked(), phone.ToString()));
    }
}
