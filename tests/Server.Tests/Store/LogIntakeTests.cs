using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;

namespace Mfa.Server.Tests.Store;

public sealed class LogIntakeTests : IDisposable
{
    private const int Megabytes = 300;

    private readonly TempFolder _folder = new();
    private readonly SqliteStore _store;

    public LogIntakeTests()
    {
        var database = new Database(_folder.File("mfa.db"));
        var ring = Rings.New();
        database.Create(ring);
        _store = new SqliteStore(database, ring, TimeProvider.System);
    }

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_log_that_is_written_without_a_pause_is_begun_anew_again_and_again()
    {
        await _store.WriteAsync(session =>
        {
            session.Execute("CREATE TABLE filling (bytes BLOB)");
            return true;
        });

        for (var megabyte = 0; megabyte < Megabytes; megabyte++)
        {
            await _store.WriteAsync(session =>
            {
                session.Execute("INSERT INTO filling VALUES (randomblob(1048576))");
                return true;
            });
        }

        var log = new FileInfo(_folder.File("mfa.db-wal")).Length >> 20;
        Assert.InRange(log, 1, Megabytes / 2);
        Assert.Equal((long)Megabytes, _store.Read(session => session.Command("SELECT count(*) FROM filling").ExecuteScalar()));
    }
}
