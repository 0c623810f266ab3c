using System.Buffers.Binary;
using System.Security.Cryptography;
using Grpc.Core;
using Mfa.Server.Domain;
using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Store;
using Mfa.Server.Tests.Services;
using Mfa.V1;
using Method = Mfa.V1.Method;

namespace Mfa.Server.Tests.Rotation;

public sealed class RotationTests
{
    private static readonly AccountKey Alice = new("default", "alice");

    /// <summary>Twice, because what was carried over once must be carried over again.</summary>
    [Fact]
    public async Task Everything_made_under_a_key_works_on_after_the_key_is_gone()
    {
        await using var server = await TestServer.StartAsync();
        var keys = new Operator(server);
        var alice = await EnrolledAccount.NewAsync(server);
        var jane = await server.PersonAsync("jane", "correct horse");
        var first = await alice.VerifyAsync(alice.WrongCode(), requestId: "6f0e7a52-1d31-4be0-9d5d-1f3a52f0a001");
        var pending = await server.Client.EnableAsync(
            new EnableRequest { Account = "eve", Method = Method.Email, Email = "eve@example.org" }, alice.Key);
        var mail = await server.Mailbox.NextAsync();

        for (var round = 0; round < 2; round++)
        {
            var (old, active) = await keys.RotateAsync();
            Assert.NotEqual(0, keys.Needed(old));
            await keys.ServerLooksAsync();
            Assert.Empty((await keys.RewrapAsync()).Unreadable);
            Assert.Equal(0, keys.Needed(old));
            await keys.RemoveAsync(old);
            await keys.ServerLooksAsync();
            Assert.Equal([active], keys.ServersRing.Ids);
            AssertNoHeader(keys.Store, old);
        }

        Assert.Equal(first, await alice.VerifyAsync(alice.WrongCode(), requestId: "6f0e7a52-1d31-4be0-9d5d-1f3a52f0a001"));
        await Refused.AsAsync(StatusCode.ResourceExhausted, "SEND_LIMIT", async () =>
            await server.Client.GetTokenAsync(new GetTokenRequest { Account = "eve", EnrollmentId = pending.EnrollmentId }, alice.Key));
        var proven = await server.Client.VerifyAsync(
            new VerifyRequest { Account = "eve", Code = mail.Code, EnrollmentId = pending.EnrollmentId }, alice.Key);
        Assert.Equal(Verdict.Accepted, proven.Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[3])).Verdict);
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Enrollment.RecoveryCodes[3])).Verdict);
        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(new GetStatusRequest(), jane)).State);
        await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", async () =>
            await server.Client.GetStatusAsync(new GetStatusRequest(), TestServer.Basic("jane", "correct horsf")));
        await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", async () =>
            await server.Client.GetStatusAsync(new GetStatusRequest(), TestServer.Basic("nobody", "correct horse")));
    }

    [Fact]
    public async Task With_the_old_key_alone_nothing_of_the_database_opens()
    {
        await using var server = await TestServer.StartAsync();
        var keys = new Operator(server);
        var alice = await EnrolledAccount.NewAsync(server);
        var before = KeyRingFile.Load(keys.RingPath);
        var (old, _) = await keys.RotateAsync();
        await keys.RewrapAsync();
        await keys.RemoveAsync(old);

        var factor = keys.Store.Find(Alice).InForce!;
        var code = Assert.IsType<RecoveryCode>(SubmittedCode.Parse(alice.Enrollment.RecoveryCodes[0]));
        Assert.Throws<CryptographicException>(() => new Sealer(before).Open(factor.Secret!,
            Sealer.SecretBinding(Alice, factor.Id, factor.Method, factor.Totp)));
        Assert.Throws<CryptographicException>(() => new RecoveryHashes(before).Compare(Alice, factor.Recovery, code));
        await Assert.ThrowsAsync<StartRefusedException>(() => StandingKeyRow.LoadAsync(keys.Store, new Sealer(before)));
        await Assert.ThrowsAsync<StartRefusedException>(() => RingCheck.RunAsync(keys.Store, before, keys.RingPath + ".gone"));
    }

    [Fact]
    public async Task A_verification_that_comes_first_wins_and_the_row_waits_for_the_next_round()
    {
        await using var server = await TestServer.StartAsync();
        var keys = new Operator(server);
        var alice = await EnrolledAccount.NewAsync(server);
        var (old, _) = await keys.RotateAsync();
        var accounts = new AccountResealing(keys.Store, KeyRingFile.Load(keys.RingPath));
        var row = Assert.Single(accounts.Next(most: 10));

        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);

        Assert.False(await keys.Store.WriteAsync(session => row.Save!(session)));
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
        await keys.ServerLooksAsync();
        await keys.RewrapAsync();
        Assert.Equal(0, keys.Needed(old));
        Assert.Equal(Verdict.Rejected, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
    }

    [Fact]
    public async Task A_row_that_does_not_open_is_named_and_left_as_it_is()
    {
        await using var server = await TestServer.StartAsync();
        var keys = new Operator(server);
        await EnrolledAccount.NewAsync(server);
        await EnrolledAccount.NewAsync(server, "bob");
        await keys.Store.WriteAsync(session =>
        {
            var command = session.Command("UPDATE accounts SET f_secret = (SELECT f_secret FROM accounts WHERE account = 'bob') WHERE account = 'alice'");
            return command.ExecuteNonQuery();
        });
        var damaged = keys.Store.Find(Alice).InForce!.Secret!.Bytes;
        var (old, _) = await keys.RotateAsync();
        await keys.ServerLooksAsync();

        var outcome = await keys.RewrapAsync();

        Assert.Equal(["account default/alice"], outcome.Unreadable);
        Assert.Equal(damaged, keys.Store.Find(Alice).InForce!.Secret!.Bytes);
        Assert.Equal(2, keys.Needed(old)); // alice's secret and recovery codes; everything of bob's is under the new key
    }

    [Fact]
    public async Task A_server_takes_a_new_key_over_at_once_when_a_row_names_it()
    {
        await using var server = await TestServer.StartAsync();
        var keys = new Operator(server);
        var alice = await EnrolledAccount.NewAsync(server);
        var (old, active) = await keys.RotateAsync();
        await keys.RewrapAsync();
        Assert.Equal(old, keys.ServersRing.ActiveId); // it has not looked yet

        // Together: whoever comes while another one is looking must find what that one found.
        var replies = await Task.WhenAll(alice.Enrollment.RecoveryCodes.Select(code => alice.VerifyAsync(code)));

        Assert.All(replies, reply => Assert.Equal(Verdict.Accepted, reply.Verdict));
        Assert.Equal(active, keys.ServersRing.ActiveId);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"active":"00000001","keys":[{"id":"00000001","key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","created":"2026-01-01T00:00:00Z"}]}""")]
    public async Task A_broken_or_strange_file_leaves_the_keys_in_use_alone_until_it_is_mended(string? content)
    {
        await using var server = await TestServer.StartAsync();
        var keys = new Operator(server);
        var alice = await EnrolledAccount.NewAsync(server);
        await keys.ServerLooksAsync();
        var good = await File.ReadAllTextAsync(keys.RingPath, TestContext.Current.CancellationToken);
        var old = keys.ServersRing.ActiveId;

        if (content is null) File.Delete(keys.RingPath);
        else await File.WriteAllTextAsync(keys.RingPath, content, TestContext.Current.CancellationToken);
        await keys.ServerLooksAsync();
        Assert.Equal([old], keys.ServersRing.Ids);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);

        await File.WriteAllTextAsync(keys.RingPath, good, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(keys.RingPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var (_, active) = await keys.RotateAsync();
        await keys.ServerLooksAsync();
        Assert.Equal(active, keys.ServersRing.ActiveId);
    }

    /// <summary>Whatever is protected says so in its first five bytes, a format and the key; no column is spared, also not one that KeyUses forgot.</summary>
    private static void AssertNoHeader(IStore store, uint keyId) => Assert.Equal([], store.Read(session =>
    {
        var header = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(header, keyId);
        var found = new List<string>();
        var columns = new List<(string Table, string Column)>();
        using (var row = session.Command("SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'").ExecuteReader())
        {
            while (row.Read()) columns.Add((row.GetString(0), row.GetString(1)));
        }

        foreach (var (table, column) in columns)
        {
            var command = session.Command($"SELECT count(*) FROM {table} WHERE substr({column}, 1, 1) IN (x'01', x'02') AND substr({column}, 2, 4) = @header OR {column} = @id");
            command.Bind("@header", header);
            command.Bind("@id", (long)keyId);
            if (command.ExecuteScalar() is not 0L) found.Add($"{table}.{column}");
        }

        return found;
    }));
}
