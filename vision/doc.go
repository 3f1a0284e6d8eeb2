// Package vision turns photographs of rooms into a checked inventory for a house move, and makes
// uploaded pictures safe to keep.
//
// # Uploads
//
// [Inspect] judges a file by its header alone; [Prepare] decodes it, turns it upright, scales it
// down and encodes it anew, so that no metadata and no trailing bytes survive. Both work without any
// model and refuse hostile files with an [*UploadError].
//
// # Inventories
//
// [New] returns an [Analyzer] over OpenAI's chat completions protocol, which Ollama, vLLM, LM Studio
// and others speak too:
//
//	analyzer, err := vision.New(vision.Config{APIKey: os.Getenv("OPENAI_API_KEY")})
//	if err != nil {
//		return err
//	}
//	result, err := analyzer.Analyze(ctx, vision.Request{
//		Photos: []vision.Photo{{ID: "p1", Room: "Living room", Data: file}},
//	})
//	if err != nil {
//		return err
//	}
//	for _, item := range result.Items() {
//		fmt.Println(item.Quantity, item.Name, item.PhotoIDs)
//	}
//
// Photos of one room are sent in batches of six; later batches get the finds of earlier ones, and a
// repeated find counts by its largest quantity. Rooms are analysed side by side. Nothing a model says
// is taken on trust: the answer must follow [Schema], gets one chance of correction, and every figure
// is checked against [ItemLimits]. Volumes are computed here, items cite the photos that show them, and
// whatever was corrected carries a [Flag]. A refusal, a truncated and an invalid answer are errors
// ([ErrRefused], [ErrTruncated], [ErrInvalidOutput]), never an empty success.
//
// Calls that fail for a passing reason are repeated as [Retry] says. A [Budget] is checked before each
// call. [Usage] counts all attempts.
//
// # Variants
//
// [Variants] is a catalogue of usual furniture sizes for a multiple choice. [MatchVariant] finds the
// group for a name, [VariantByID] a choice:
//
//	group, ok := vision.MatchVariant("grey 3-seater fabric sofa") // group.Key == "sofa"
//	choice, ok := vision.VariantByID("sofa_3_seat")               // 210 x 92 x 85 cm, 48 kg
//
// # Without a model
//
// Package visionsim answers like a model, offline and always the same. [NewStatic] returns an
// analyzer with a fixed answer. Package visiontest checks other implementations of [Analyzer].
//
// # What it does not do
//
// It keeps nothing: no photo, no answer, no cache. It follows no text in a picture. It decodes no
// HEIC. Confidence figures are the model's own and not calibrated; a person should
// review what is flagged.
package vision
