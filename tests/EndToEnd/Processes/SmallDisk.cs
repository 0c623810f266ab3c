using System.Diagnostics;

namespace Mfa.EndToEnd.Processes;

/// <summary>A file system of a few megabytes in memory, over a folder, that can be filled to its last byte.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    private string Filler => Path.Combine(_folder, "filler");

    /// <returns>Null where this user may not mount.</returns>
    public static async Task<SmallDisk?> MountAsync(string folder)
    {
        if (!Environment.IsPrivilegedProcess) return null;
        var ended = await OutsideProgram.RunAsync(new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", folder]), []);
        return ended.ExitCode == 0 ? new SmallDisk(folder) : null; // the superuser of a container may not
    }

    public async Task FillAsync()
    {
        await using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true) file.Write(new byte[4096]);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    public void Free() => File.Delete(Filler);

    public async ValueTask DisposeAsync()
    {
        var ended = await OutsideProgram.RunAsync(new ProcessStartInfo("umount", ["--lazy", _folder]), []);
        Assert.True(ended.ExitCode == 0, ended.Errors);
    }
}
