using System.Runtime.InteropServices;

namespace Mfa.Server.Doctor;

/// <summary>Whose a file is, which the base library does not tell. statx has the same layout on every machine, unlike stat.</summary>
internal static partial class FileOwner
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint Uid = 0x8; // STATX_UID
    private const int StatxBytes = 256;
    private const int UidOffset = 20;

    /// <summary>The user that this program acts as.</summary>
    public static uint Us => EffectiveUser();

    public static uint Of(string path)
    {
        Span<byte> status = stackalloc byte[StatxBytes];
        return Statx(CurrentFolder, path, 0, Uid, status) == 0
            ? BitConverter.ToUInt32(status[UidOffset..])
            : throw new IOException($"{path}: its owner cannot be read.");
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
