using System.Security.Cryptography;
using System.Text;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;
using Microsoft.Data.Sqlite;

namespace Mfa.Server.Tests.Store;

/// <summary>People of a database of before schema 7 keep their passwords, and those match in their own row alone.</summary>
public sealed class NamedPasswordsTests : IDisposable
{
    private const int Rounds = 1000; // what a row says, whatever today's least is

    private readonly TempFolder _folder = new();
    private readonly KeyRing _ring = Rings.New();
    private readonly Database _database;

    public NamedPasswordsTests()
    {
        _database = new Database(_folder.File("mfa.db"));
        _database.Create(_ring);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Passwords_of_before_match_as_before_and_for_their_person_alone(bool carried)
    {
        Insert("jane", "correct horse", carried);
        Insert("jack", "battery staple", carried);

        _database.Migrate(_ring);
        var (jane, jack) = (Find("jane"), Find("jack"));
        _database.Migrate(_ring); // done once

        var hasher = new PasswordHasher(_ring);
        Assert.True(hasher.Matches("jane", "correct horse", jane));
        Assert.True(hasher.Matches("jack", "battery staple", jack));
        Assert.False(hasher.Matches("jane", "battery staple", jane));
        Assert.ThrowsAny<CryptographicException>(() => hasher.Matches("jane", "battery staple", jack));
        Assert.Equal(jane.Hash, Find("jane").Hash);
    }

    [Fact]
    public void Another_ring_spoils_nothing()
    {
        Insert("jane", "correct horse", carried: false);
        Run("INSERT INTO ring_keys (id, check_value) VALUES (@key, @salt)", ("@key", (long)_ring.ActiveId), ("@salt", _ring.CheckValue(_ring.ActiveId)));
        var before = Find("jane").Hash;
        var sameId = new KeyRing(_ring.ActiveId, new Dictionary<uint, byte[]> { [_ring.ActiveId] = RandomNumberGenerator.GetBytes(32) });

        foreach (var other in new[] { sameId, Rings.New() })
            Assert.Contains("another key ring", Assert.Throws<StartRefusedException>(() => _database.Migrate(other)).Message, StringComparison.Ordinal);

        Assert.Equal(before, Find("jane").Hash);
        _database.Migrate(_ring);
        Assert.True(new PasswordHasher(_ring).Matches("jane", "correct horse", Find("jane")));
    }

    /// <summary>A row as schema 6 has it.</summary>
    private void Insert(string name, string password, bool carried)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var key = _ring.SubKey(_ring.ActiveId, KeyPurpose.Passwords);
        var hash = HMACSHA256.HashData(key, Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, Rounds, HashAlgorithmName.SHA512, 32));
        if (carried) hash = new Sealer(_ring).Seal([.. key, .. hash], Sealer.UnnamedPasswordBinding(salt)).Bytes;
        Run("""
            INSERT INTO users (name, email, password_key, password_rounds, password_salt, password_hash, create_time)
            VALUES (@name, x'00', @key, @rounds, @salt, @hash, 0);
            DROP TABLE IF EXISTS audit_account_keys; -- of schema 8
            CREATE INDEX IF NOT EXISTS audit_account ON audit (seq >> 12, account_key);
            PRAGMA user_version = 6;
            """, ("@name", name), ("@key", (long)_ring.ActiveId), ("@rounds", Rounds), ("@salt", salt), ("@hash", hash));
    }

    private PasswordHash Find(string name)
    {
        using var session = new Session(_database.Open());
        var command = session.Command("SELECT password_key, password_rounds, password_salt, password_hash FROM users WHERE name = @name");
        command.Bind("@name", name);
        using var row = command.ExecuteReader();
        Assert.True(row.Read());
        return new PasswordHash((uint)row.GetInt64(0), row.GetInt32(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3));
    }

    private void Run(string sql, params (string Name, object Value)[] values)
    {
        using var session = new Session(_database.Open());
        var command = (SqliteCommand)session.Command(sql);
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }
}
