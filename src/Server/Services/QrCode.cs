using System.Globalization;
using System.Text;
using QRCoder;

namespace Mfa.Server.Services;

/// <summary>Draws a QR code as one small SVG: a single path with a stroke-free run of dark modules a step.</summary>
internal static class QrCode
{
    /// <summary>Scalable and about a tenth of the size of one rectangle a run, which is what the library draws.</summary>
    public static string Svg(string content)
    {
        using var generator = new QRCodeGenerator();
        using var code = generator.CreateQrCode(content, QRCodeGenerator.ECCLevel.M);
        var rows = code.ModuleMatrix; // quiet zone of four modules included (ISO/IEC 18004 §5.3.8)
        var size = rows.Count;

        var path = new StringBuilder();
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                if (!rows[y][x]) continue;
                var start = x;
                while (x < size && rows[y][x]) x++;
                path.Append(CultureInfo.InvariantCulture, $"M{start} {y}h{x - start}v1h-{x - start}z");
            }
        }

        var box = $"viewBox=\"0 0 {size} {size}\" width=\"{8 * size}\" height=\"{8 * size}\"";
        return $"<svg xmlns=\"http://www.w3.org/2000/svg\" {box} shape-rendering=\"crispEdges\">" +
            $"<path fill=\"#fff\" d=\"M0 0h{size}v{size}h-{size}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>";
    }
}
