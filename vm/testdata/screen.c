/*
 * An EFI application that draws, through EFI_GRAPHICS_OUTPUT_PROTOCOL (UEFI 2.10, section 12.9) and into the frame buffer.
 */

#include "guest.h"

enum { LocateProtocol = 320 };

/* Operations of Blt. */
enum { Fill, ToBuffer, ToVideo, VideoToVideo };

typedef u64 __attribute__((ms_abi)) service10(u64, u64, u64, u64, u64, u64, u64, u64, u64, u64);

static u8 *gop;

static u64 blt(void *buffer, u64 operation, u64 fx, u64 fy, u64 tx, u64 ty, u64 w, u64 h, u64 delta)
{
	return (*(service10 **)(gop + 16))((u64)gop, (u64)buffer, operation, fx, fy, tx, ty, w, h, delta);
}

static u64 graphics(void)
{
	static const u8 guid[16] = {
		0xde, 0xa9, 0x42, 0x90, 0xdc, 0x23, 0x38, 0x4a, 0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a,
	};

	return boot(LocateProtocol, (u64)guid, 0, (u64)&gop, 0, 0, 0);
}

static void draws(void)
{
	static u32 buffer[16 * 16], pixel;
	u64 size = 0, i, sum;
	u32 *info = 0, *video;
	u8 *mode;

	say("graphics", graphics());
	mode = *(u8 **)(gop + 24);
	say("query", (*(service10 **)gop)((u64)gop, 0, (u64)&size, (u64)&info, 0, 0, 0, 0, 0, 0));
	say("width", info[1]);
	say("height", info[2]);
	say("format", info[3]);
	say("line", info[8]);
	say("bytes", *(u64 *)(mode + 32));
	say("no mode", (*(service10 **)(gop + 8))((u64)gop, 1, 0, 0, 0, 0, 0, 0, 0, 0));
	say("set", (*(service10 **)(gop + 8))((u64)gop, 0, 0, 0, 0, 0, 0, 0, 0, 0));

	pixel = 0x0000ff; /* blue */
	say("fill", blt(&pixel, Fill, 0, 0, 0, 0, info[1], info[2], 0));
	for (i = 0; i < 16 * 16; i++)
		buffer[i] = 0xff0000 | i; /* red, with some blue */
	/* The lower right quarter of the buffer to (100, 50). */
	say("to video", blt(buffer, ToVideo, 8, 8, 100, 50, 8, 8, 16 * 4));
	/* Up and down by less than its height. */
	say("down", blt(0, VideoToVideo, 100, 50, 100, 54, 8, 8, 0));
	video = *(u32 **)(mode + 24);
	video[10 * info[8] + 20] = 0x00ff00; /* green */
	for (i = 0; i < 16 * 16; i++)
		buffer[i] = 0;
	say("to buffer", blt(buffer, ToBuffer, 100, 50, 4, 2, 8, 12, 16 * 4));
	for (sum = 0, i = 0; i < 16 * 16; i++)
		sum = sum * 31 + buffer[i];
	say("sum", sum);
	say("at its place", buffer[2 * 16 + 4] == video[50 * info[8] + 100]);
	say("outside", blt(&pixel, Fill, 0, 0, info[1] - 1, 0, 2, 1, 0));
	say("nothing", blt(&pixel, Fill, 0, 0, 0, 0, 0, 1, 0));
	say("no operation", blt(&pixel, 4, 0, 0, 0, 0, 1, 1, 0));
	power_off();
}

static void asks(void)
{
	say("graphics", graphics());
	power_off();
}
