using System.Text;
using Mfa.Server.Callers;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

/// <summary>What somebody who copies the database can read of messages: nothing.</summary>
public sealed class AtRestTests
{
    [Fact]
    public async Task Neither_addresses_nor_numbers_nor_tokens_nor_texts_stand_in_the_database()
    {
        await using var server = await TestServer.StartAsync("sends:gapSeconds=0");
        var key = await server.KeyAsync(Scopes.Verify | Scopes.Enroll | Scopes.Disable);
        var eve = await server.Client.EnableAsync(
            new EnableRequest { Account = "eve", Method = Method.Email, Email = "eve.canary@example.org" }, key);
        var code = (await server.Mailbox.NextAsync()).Code;
        await server.Client.VerifyAsync(new VerifyRequest { Account = "eve", Code = code, EnrollmentId = eve.EnrollmentId }, key);
        await server.Client.EnableAsync(new EnableRequest { Account = "sam", Method = Method.Sms, Phone = "+14165550166" }, key);
        await server.Client.DisableAsync(new DisableRequest { Account = "eve" }, key);
        Mail mail;
        do mail = await server.Mailbox.NextAsync();
        while (mail.Token.Length == 0);
        string[] canaries = ["eve.canary", "4165550166", "@localhost #", "is your code", mail.Token];

        AssertAbsent(server, canaries);
        await server.Client.ConfirmDisableAsync(new ConfirmDisableRequest { Account = "eve", Token = mail.Token }, key);
        AssertAbsent(server, canaries);
    }

    private static void AssertAbsent(TestServer server, string[] canaries)
    {
        var files = Directory.GetFiles(server.Folder, "mfa.db*");
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            // Shared: SQLite holds its files open for writing.
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.All(canaries, canary => Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(canary)) < 0, $"{file} holds {canary}"));
        }
    }
}
