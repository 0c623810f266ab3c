using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Requests of a form that is not accepted: refused by their form alone, named, not counted, not stored.</summary>
public sealed class BadInputTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private static readonly byte[] NotUtf8 = [0x41, 0xC3, 0x28, 0xFF];

    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    public static TheoryData<string, string, string> BadTexts()
    {
        var table = new TheoryData<string, string, string>();
        void Add(string[] methods, string field, params string[] values)
        {
            foreach (var method in methods)
            {
                foreach (var value in values) table.Add(method, field, value);
            }
        }

        string[] all = ["Enable", "Verify", "GetStatus", "RegenerateRecoveryCodes"];
        Add(all, "account", "", new string('a', 129), "a b", "ä", "a/b", "a:b", "a\0", "a\n", "../a", "a\u200B", "'--");
        Add(["Verify", "RegenerateRecoveryCodes"], "code", "");
        Add(["Enable", "Verify", "RegenerateRecoveryCodes"], "code", "12345", "123456789", "abcdef", "-12345", new string('1', 1000));
        Add(["Verify"], "enrollment_id", "x", "00000000-0000-0000-0000-000000000000", "{6f9619ff-8b86-d011-b42d-00c04fc964ff}",
            "6f9619ff8b86d011b42d00c04fc964ff", " 6f9619ff-8b86-d011-b42d-00c04fc964ff", new string('6', 1000));
        Add(["Verify"], "request_id", "x", "00000000-0000-0000-0000-000000000000", "6f9619ff8b86d011b42d00c04fc964ff", new string('6', 1000));
        Add(["Enable"], "email", "a", "a@b", "@b.org", "a@b.org, c@d.org", "A <a@b.org>", "a@b.org\r\nBcc: c@d.org", "ä@b.org", "a@b..org",
            "a@b.org\0", "a@b.org.", new string('a', 249) + "@b.org");
        Add(["Enable"], "phone", "+14165550123", "x");
        Add(["Enable"], "label", " ", "a:b", "a\nb", "a\u0000b", "a\u2028b", "a\u202Eb", "a\u200Bb", new string('a', 65));
        Add(["Enable"], "locale", "e n", "-en", "en-", "en_CA", "12", "en-toolongsubtag", "en\n", new string('a', 36));
        return table;
    }

    [Theory, MemberData(nameof(BadTexts))]
    public async Task A_bad_field_is_named_and_nothing_is_stored(string method, string field, string value)
    {
        var request = GoodRequest(method, Owner.NewAccount());
        request.Descriptor.FindFieldByName(field).Accessor.SetValue(request, value);

        await Refused.ForFieldAsync(field, () => Caller.SendAsync(method, request));

        await AssertNothingStoredAsync(request);
    }

    public static TheoryData<string, string> TextFields() => new(
        from method in new[] { "Enable", "Verify", "GetStatus", "RegenerateRecoveryCodes" }
        from field in GoodRequest(method, "a").Descriptor.Fields.InDeclarationOrder()
        where field.FieldType == Google.Protobuf.Reflection.FieldType.String
        select (method, field.Name));

    [Theory, MemberData(nameof(TextFields))]
    public async Task Bytes_that_are_no_text_are_bad_input(string method, string field)
    {
        var request = GoodRequest(method, Owner.NewAccount());

        await Refused.AsAsync(StatusCode.InvalidArgument, ErrorReason.InvalidField,
            () => Caller.SendAsync(method, request.With(request.Numbered(field), NotUtf8)));

        await AssertNothingStoredAsync(request);
    }

    [Theory] // CC13
    [InlineData(0UL)]
    [InlineData(99UL)]
    [InlineData(ulong.MaxValue)] // -1 as an open enum carries it
    public async Task A_method_that_does_not_exist_is_a_bad_field(ulong number)
    {
        var request = new EnableRequest { Account = Owner.NewAccount(), Method = Method.Authenticator };

        await Refused.ForFieldAsync("method", () => Caller.SendAsync("Enable", request.With(request.Numbered("method"), number)));

        await AssertNothingStoredAsync(request);
    }

    [Fact]
    public async Task All_bad_fields_are_named_at_once()
    {
        var enable = new EnableRequest { Account = "a b", Method = (Method)99, Email = "x", Phone = "x", Label = ":", Locale = "!", Code = "x" };
        var verify = new VerifyRequest { Account = "a b", Code = "x", EnrollmentId = "x", RequestId = "x" };

        await Refused.ForFieldsAsync(
            ["account", "method", "email", "phone", "label", "locale", "code"], () => Caller.SendAsync("Enable", enable));
        await Refused.ForFieldsAsync(["account", "code", "enrollment_id", "request_id"], () => Caller.SendAsync("Verify", verify));
    }

    [Fact]
    public async Task Fields_that_the_contract_does_not_have_change_nothing() // CC16
    {
        var owner = await Owner.EnrolAsync(Caller);
        var wrong = new VerifyRequest { Account = owner.Account, Code = await owner.App.CodeAsync(owner.FirstStep - 10) };
        byte[] time = RawMessage.Number(100, (ulong)((owner.FirstStep - 10) * Authenticator.Period));
        byte[] secret = RawMessage.Field(101, Encoding.ASCII.GetBytes(owner.Enrolled.Secret));

        var refused = VerifyResponse.Parser.ParseFrom(await Caller.SendAsync("Verify", [.. wrong.ToByteArray(), .. time, .. secret]));
        var right = new VerifyRequest { Account = owner.Account, Code = owner.NextCode };
        var accepted = VerifyResponse.Parser.ParseFrom(await Caller.SendAsync("Verify", [.. right.ToByteArray(), .. time, .. secret]));

        Assert.Equal(Verdict.Rejected, refused.Verdict);
        Assert.Equal(Verdict.Accepted, accepted.Verdict);
    }

    [Fact]
    public async Task A_message_that_is_too_long_is_refused() // TD1
    {
        var request = new VerifyRequest { Account = Owner.NewAccount(), Code = new string('1', 64 * 1024) };

        var error = await Assert.ThrowsAsync<RpcException>(() => Caller.VerifyAsync(request));

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_refused_in_the_shape_of_every_error()
    {
        var tooLong = new VerifyRequest { Account = Owner.NewAccount(), Code = new string('1', 64 * 1024) };

        await Refused.InShapeAsync(() => Caller.SendAsync("Verify", [0x0A, 0x7F, 0x41])); // shorter than it says
        await Refused.InShapeAsync(() => Caller.SendAsync("Verify", [0xFF, 0xFF, 0xFF])); // no tag
        await Refused.InShapeAsync(() => Caller.VerifyAsync(tooLong));
    }

    [Fact]
    public async Task A_method_that_does_not_exist_is_refused_in_the_shape_of_every_error()
    {
        await Refused.InShapeAsync(() => Caller.SendAsync("NoSuchMethod", []));
        await Refused.InShapeAsync(() => Caller.SendAsync("no.such.Service", "Verify", []));
    }

    private static IMessage GoodRequest(string method, string account) => method switch
    {
        "Enable" => new EnableRequest { Account = account, Method = Method.Authenticator },
        "Verify" => new VerifyRequest { Account = account, Code = "123456" },
        "GetStatus" => new GetStatusRequest { Account = account },
        _ => new RegenerateRecoveryCodesRequest { Account = account, Code = "123456" },
    };

    private async Task AssertNothingStoredAsync(IMessage request)
    {
        var account = (string)request.Descriptor.FindFieldByName("account").Accessor.GetValue(request);
        Assert.Equal(0L, await FolderStores.AskAsync(server.Process, "SELECT count(*) FROM accounts WHERE account = @account", account));
    }
}
