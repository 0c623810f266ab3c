using Mfa.Server.Callers;

namespace Mfa.Server.Commands;

/// <summary>A key with every scope for a development server, in a file of the data folder, made once.</summary>
internal static class DevKey
{
    private const string Name = "dev";

    public static async Task CreateOnceAsync(DataFolder data, TimeProvider clock)
    {
        var path = Path.Combine(data.Path, DataFolder.DevKeyFile);
        if (File.Exists(path)) return;
        var keys = new ApiKeys(data.Store, clock);
        await keys.RevokeAsync(Name); // its file is gone, so nobody can have it
        var key = await keys.CreateAsync(Name, Principal.DefaultTenant, Scopes.Verify | Scopes.Enroll | Scopes.Disable | Scopes.Admin);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using var file = new StreamWriter(path, System.Text.Encoding.ASCII, options);
        await file.WriteLineAsync(key);
    }
}
