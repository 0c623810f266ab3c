using System.Buffers.Binary;
using System.Globalization;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;
using Microsoft.Data.Sqlite;
using Method = Mfa.V1.Method;

namespace Mfa.EndToEnd.Keys;

/// <summary>A key is replaced while the service is in use (SE5).</summary>
public sealed class RotationUnderLoadTests
{
    private const string Password = "correct horse battery staple";

    [Fact]
    public async Task No_call_fails_while_a_key_is_rotated_out_and_afterwards_it_opens_nothing()
    {
        await using var server = await ServerProcess.StartAsync("sends:gapSeconds=0", "quota:personCallsPerSecond=1000");
        var keys = new KeyVerbs(server.Data);
        await ServerProgram.AddPersonAsync(server.Data, "person", "person@example.org", Password);
        server.Secrets.Add(Password);
        var owners = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Owner.EnrolAsync(server.Dev)));
        var (eve, pending, code) = await EnableByMailAsync(server);
        var firstRing = await File.ReadAllBytesAsync(keys.Ring, TestContext.Current.CancellationToken);

        await using var load = new MixedLoad();
        foreach (var caller in Enumerable.Range(0, 3).Select(_ => server.NewCaller(server.DevKey))) load.Add("accounts", () => MixedLoad.LiveAsync(caller));
        var person = server.NewCallerWith(Caller.Basic("person", Password));
        load.Add("password", async () => Assert.Equal(State.Disabled, (await person.GetStatusAsync("")).State));

        var old = await keys.RotateAsync();
        Start.RefusedWith(await keys.RunAsync("remove", old), [old, "is needed by", "secrets rewrap"]);
        await keys.RewrapAsync();
        await keys.RemoveAsync(old);
        await load.StopAsync();

        Assert.Empty(load.Failed);
        Assert.True(load.Rounds > 0);
        Assert.Equal(["active"], (await keys.StatusAsync()).Select(key => key.State));
        AssertNothingUnder(old, server.Data);

        // What was made before, and survived under the new key alone.
        foreach (var owner in owners)
        {
            await MixedLoad.AcceptedAsync(server.Dev, owner.Account, owner.RecoveryCodes[2]);
            Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, owner.RecoveryCodes[2])).Verdict);
        }

        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(eve, code, pending)).Verdict);
        await server.KillAsync();
        await server.StartAgainAsync();
        await MixedLoad.AcceptedAsync(server.Dev, owners[0].Account, owners[0].RecoveryCodes[3]);

        // A thief of the database who has the old key: refused as it is, and nothing to be had by stripping the checks.
        Assert.Equal(0, await server.StopAsync());
        await File.WriteAllBytesAsync(keys.Ring, firstRing, TestContext.Current.CancellationToken);
        await Start.RefusedAsync(server.Data, [keys.Ring, "Put the right file back"]);
        Strip(server.Database);
        await server.StartAgainAsync();
        await Refused.AsAsync(StatusCode.Internal, ErrorReason.Internal, () => server.Dev.VerifyAsync(owners[0].Account, owners[0].NextCode));
        await Refused.AsAsync(StatusCode.Internal, ErrorReason.Internal, () => server.Dev.VerifyAsync(owners[0].Account, owners[0].RecoveryCodes[4]));
        await Refused.AsAsync(StatusCode.Internal, ErrorReason.Internal, () => server.Dev.GetStatusAsync(eve));
        Assert.NotEqual(0, (await ServerProgram.RunAsync("users", "list", "--data", server.Data)).ExitCode);
    }

    private static async Task<(string Account, string EnrollmentId, string Code)> EnableByMailAsync(ServerProcess server)
    {
        var eve = Owner.NewAccount();
        var request = new EnableRequest { Account = eve, Method = Method.Email, Email = eve };
        var pending = await server.Dev.EnableAsync(request);
        return (eve, pending.EnrollmentId, await new Mailbox(server, eve).CodeAsync());
    }

    /// <summary>Every sealed value begins with the format and its key: neither database nor log holds one of the old key any more.</summary>
    private static void AssertNothingUnder(string key, string data)
    {
        var header = new byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(1), uint.Parse(key, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        foreach (var path in Directory.EnumerateFiles(data, "mfa.db*"))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            foreach (var format in (byte[])[1, 2])
            {
                header[0] = format;
                Assert.True(bytes.AsSpan().IndexOf(header) < 0, $"{Path.GetFileName(path)} holds something under the old key.");
            }
        }
    }

    private static void Strip(string database)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "DELETE FROM ring_keys; DELETE FROM standing_key";
        command.ExecuteNonQuery();
    }
}
