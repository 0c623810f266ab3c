using System.Buffers.Binary;
using System.Data.Common;
using System.Security.Cryptography;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Rotation;

/// <summary>A row to be put under the active key.</summary>
/// <param name="Name">For an operator, when it does not open.</param>
/// <param name="Save">Saves it if it is still as it was, and tells whether it was; null when it does not open.</param>
internal sealed record ResealedRow(string Name, Func<Session, bool>? Save)
{
    /// <summary>Opening and sealing happens here, before the write lock is taken.</summary>
    public static ResealedRow Of(string name, Func<Func<Session, bool>> prepare)
    {
        try
        {
            return new ResealedRow(name, prepare());
        }
        catch (CryptographicException)
        {
            return new ResealedRow(name, Save: null);
        }
    }
}

/// <summary>One table whose rows can be put under the active key. Where it stands follows from the rows alone.</summary>
internal interface IResealing
{
    /// <returns>How many rows are not under the active key.</returns>
    long Left();

    /// <returns>The next such rows; empty at the end of the table.</returns>
    IReadOnlyList<ResealedRow> Next(int most);
}

internal static class ActiveKey
{
    /// <summary>The active key as columns name it (@id) and as the header of sealed values does (@header).</summary>
    public static void BindActive(this DbCommand command, KeyRing ring)
    {
        var header = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(header, ring.ActiveId);
        command.Bind("@header", header);
        command.Bind("@id", (long)ring.ActiveId);
    }
}
